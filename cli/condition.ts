import { exportedOf, type Pending } from "./exported";
import { isHeld, type Lock, locksOf } from "./locks";
import { orphansOf } from "./orphans";
import type { Pulumi } from "./pulumi";

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

/** The name of the stack in full: `organization/project/stack`. */
export async function stackNameOf(pulumi: Pulumi): Promise<string> {
    const show = ["stack", "--show-name", "--fully-qualify-stack-names", ...pulumi.stackFlags];
    return (await pulumi.read(show)).trim();
}

/** Looks at a stack, and changes nothing. */
export async function conditionOf(pulumi: Pulumi, backendUrl: string): Promise<Condition> {
    const stack = await stackNameOf(pulumi);
    const { pending } = await exportedOf(pulumi);
    return {
        stack,
        locks: locksOf(backendUrl, stack)?.map((lock) => ({ ...lock, isHeld: isHeld(lock) })),
        pending,
        orphans: await orphansOf(stack.split("/").at(-2) ?? ""),
    };
}
