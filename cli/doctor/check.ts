import { messageOf } from "../../provider/errors";
import type { Facts } from "./facts";
import { NotChecked } from "./needed";

/** What a check came to: what was seen and, unless it is `ok` or could not be checked, what to do. */
export interface Finding {
    readonly level: "ok" | "warn" | "fail";
    readonly seen: string;
    readonly next?: string;
}

/** One thing that a cluster needs. */
export interface Check {
    readonly name: string;
    /** What it throws is a finding too. */
    run(facts: Facts): Promise<Finding>;
}

export const ok = (seen: string): Finding => ({ level: "ok", seen });
export const warn = (seen: string, next: string): Finding => ({ level: "warn", seen, next });
export const fail = (seen: string, next: string): Finding => ({ level: "fail", seen, next });

/** An error's message with what to do about it. @throws Error always */
export function advise(error: unknown, next: string): never {
    throw new Error(`${messageOf(error)}. Next: ${next}`);
}

/** Runs a check; whatever happens, it gives a finding. */
export async function findingOf(check: Check, facts: Facts): Promise<Finding> {
    try {
        return await check.run(facts);
    } catch (error) {
        if (error instanceof NotChecked) {
            return { level: "warn", seen: error.message };
        }
        const [seen = "", ...advice] = messageOf(error).split(/[.:]?\s+Next: /);
        return { level: "fail", seen, ...(advice.length > 0 ? { next: advice.join(" ") } : {}) };
    }
}
