import { isHeld, locksOf, type Lock } from "./locks";
import { orphansOf } from "./orphans";
import type { Pulumi } from "./pulumi";

/** An operation that a run had begun and has not ended. */
export interface Pending {
    readonly type: "creating" | "updating" | "deleting" | (string & {});
    readonly urn: string;
}

/** What a killed run left of a stack. */
export interface Condition {
    /** In full: `organization/project/stack`. */
    readonly stack: string;
    /** Undefined where only the backend knows whether the stack is locked. */
    readonly locks: readonly (Lock & { readonly isHeld: boolean })[] | undefined;
    readonly pending: readonly Pending[];
    /** Processes of killed runs that still live. */
    readonly orphans: readonly number[];
}

/** Where the stacks of a project are kept, as a URL. */
export async function backendOf(pulumi: Pulumi): Promise<string> {
    return (JSON.parse(await pulumi.read(["whoami", "--json"])) as { url: string }).url;
}

/** Looks at a stack, and changes nothing. */
export async function conditionOf(pulumi: Pulumi, backendUrl: string): Promise<Condition> {
    const { stackFlags } = pulumi;
    const name = ["stack", "--show-name", "--fully-qualify-stack-names", ...stackFlags];
    const stack = (await pulumi.read(name)).trim();
    return {
        stack,
        locks: locksOf(backendUrl, stack)?.map((lock) => ({ ...lock, isHeld: isHeld(lock) })),
        pending: pendingIn(await pulumi.read(["stack", "export", ...stackFlags])),
        orphans: await orphansOf(stack.split("/").at(-2) ?? ""),
    };
}

/** The pending operations of an exported stack. */
export function pendingIn(exported: string): Pending[] {
    const { deployment } = JSON.parse(exported) as {
        deployment?: { pending_operations?: { type: string; resource: { urn: string } }[] | null };
    };
    return (deployment?.pending_operations ?? []).map(({ type, resource }) => ({
        type,
        urn: resource.urn,
    }));
}
