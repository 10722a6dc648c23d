import type { Properties } from "../plugin/properties";
import type { Created } from "../plugin/provider";

/** One resource type of the provider. Names are those of the published SDK's types. */
export interface TlsResource {
    /** Inputs that are handled. */
    readonly inputs: readonly string[];
    /** Outputs that are not inputs as well. */
    readonly outputs: readonly string[];
    /** Inputs of the official provider that are refused here. */
    readonly unsupported: readonly string[];
    /** Inputs whose change keeps the resource; a change of any other replaces it. */
    readonly updatable: readonly string[];
    readonly required: readonly string[];
    /** Inputs with a closed set of values. */
    readonly choices: Readonly<Record<string, readonly string[]>>;
    /** Makes the object. Called with known inputs only. */
    create(inputs: Properties): Promise<Created>;
}
