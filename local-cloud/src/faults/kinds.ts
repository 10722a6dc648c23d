/** A way in which a call goes wrong. */
interface Kind {
    readonly description: string;
    /** Whether the call is carried out. */
    readonly effect: "none" | "done";
    /** The operations it can befall, by name; every one by default. */
    readonly operations?: RegExp;
}

/** The ways in which a call goes wrong on purpose. Refusals carry the error envelope of the API. */
export const faultKinds = {
    "status-400": { effect: "none", description: "400, a request that cannot be parsed" },
    "status-401": { effect: "none", description: "401, a credential that is unknown or expired" },
    "status-403": { effect: "none", description: "403, a credential without the right" },
    "status-404": { effect: "none", description: "404, nothing found" },
    "status-409": { effect: "none", description: "409, a clash with what exists" },
    "status-429": { effect: "none", description: "429, too many calls" },
    "status-429-retry-after": { effect: "none", description: "429 with `Retry-After: 1`" },
    "status-500": { effect: "none", description: "500, an internal error" },
    "status-502": { effect: "none", description: "502, nothing behind the gateway" },
    "status-503": { effect: "none", description: "503, the service is unavailable" },
    "status-503-retry-after": { effect: "none", description: "503 with `Retry-After: 1`" },
    html: { effect: "none", description: "200 with a proxy's page of HTML in place of JSON" },
    truncated: {
        effect: "done",
        description: "the true status, JSON that ends in the middle, `content-length` to match",
    },
    "reset-before": { effect: "none", description: "the connection ends, nothing was done" },
    "reset-after": { effect: "done", description: "the connection ends in place of the answer" },
    "hang-before": {
        effect: "none",
        description: "no answer, nothing done until all faults are cleared",
    },
    "hang-after": { effect: "done", description: "no answer until all faults are cleared" },
    "slow-body": {
        effect: "done",
        description: "headers at once, the body in crumbs over 400 ms, whole in the end",
    },
    "cut-body": { effect: "done", description: "the connection ends in the middle of the body" },
    quota: {
        effect: "none",
        description: "403, the quota is used up; only creating calls",
        operations: /Create$/,
    },
    "stale-list": {
        effect: "done",
        description: "what the list held before its last change; only lists",
        operations: /List$/,
    },
    "vm-error": {
        effect: "done",
        description: "the answer is good, the VM goes to ERROR; only `vmCreate`",
        operations: /^vmCreate$/,
    },
    "vm-stuck": {
        effect: "done",
        description:
            "the answer is good, the VM stays in CREATING until all faults are cleared; only `vmCreate`",
        operations: /^vmCreate$/,
    },
} as const satisfies Readonly<Record<string, Kind>>;

export type FaultKind = keyof typeof faultKinds;

/** The kinds with this effect. */
export type KindWith<Effect extends Kind["effect"]> = {
    [K in FaultKind]: (typeof faultKinds)[K]["effect"] extends Effect ? K : never;
}[FaultKind];

/** The kinds that can befall an operation, given by its name. */
export function kindsFor(operation: string): FaultKind[] {
    return (Object.keys(faultKinds) as FaultKind[]).filter((kind) => {
        const { operations }: Kind = faultKinds[kind];
        return operations?.test(operation) ?? true;
    });
}
