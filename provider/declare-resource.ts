import * as pulumi from "@pulumi/pulumi";

import type { Handler } from "./handler";

type AsInputs<T> = { [K in keyof T]: pulumi.Input<pulumi.Unwrap<T[K]>> | AsInputMap<T[K]> };
type AsInputMap<V> = V extends object ? { [K in keyof V]: pulumi.Input<V[K]> } : pulumi.Input<V>;

/** Inputs and outputs of a handler. */
type InputsOf<H> = H extends Handler<infer I, infer _> ? I : never;
type OutputsOf<H> = H extends Handler<infer _, infer O> ? O : never;

/** A resource of the dynamic provider: what its handler gives, as far as it is declared. */
type Resource<H, Names extends PropertyKey = never> = pulumi.CustomResource & {
    readonly [K in Names & keyof (InputsOf<H> & OutputsOf<H>)]: pulumi.Output<
        NonNullable<(InputsOf<H> & OutputsOf<H>)[K]>
    >;
};

/** The class of a resource. */
type ResourceClass<H, Names extends PropertyKey> = new (
    name: string,
    inputs: AsInputs<InputsOf<H>>,
    options?: pulumi.CustomResourceOptions,
) => Resource<H, Names>;

/**
 * The text that a state file keeps as a resource's provider. It names the code instead of holding it, so
 * the installed version runs, whatever version made the resource.
 */
export function providerText(type: string): string {
    return `exports.handler = () => require("excloud-k8s/provider/v1").${type};`;
}

/**
 * Declares the resource of a handler to programs, as `pulumi-nodejs:dynamic/excloud-k8s:<type>`:
 * `resourceOf<typeof handler>()(type, ...)`. The handler is named by its TypeScript type only: it runs in the
 * engine's provider process, and a program does not load it.
 *
 * @param names the properties that programs read of it: outputs, or inputs that its `check` completes
 * @param defaults of the resource's options
 */
export function resourceOf<H>() {
    return <const Names extends keyof (InputsOf<H> & OutputsOf<H>) & string = never>(
        type: string,
        names: readonly Names[] = [],
        defaults: pulumi.CustomResourceOptions = {},
    ): ResourceClass<H, Names> => {
        const undeclared = Object.fromEntries(names.map((name) => [name, undefined]));
        const declared = class extends pulumi.CustomResource {
            constructor(name: string, inputs: object, options?: pulumi.CustomResourceOptions) {
                super(
                    `pulumi-nodejs:dynamic/excloud-k8s:${type}`,
                    name,
                    { ...undeclared, ...inputs, __provider: providerText(type) },
                    { ...defaults, ...options },
                );
            }
        };
        return declared as unknown as ResourceClass<H, Names>;
    };
}
