import type { Operation } from "excloud-k8s/api";

import { invalid } from "../http/errors";
import { type FaultKind, kindsFor } from "./kinds";

/** Which calls are to go wrong, and how. */
export interface CallFaultSpec<Name extends string = string> {
    /** Name of an operation of the table. */
    readonly operation: Name;
    readonly kind: FaultKind;
    /** Only calls whose request has these members; path, query and body count alike. */
    readonly match?: Readonly<Record<string, string | number | boolean>>;
    /** Which matching call from now on is the first to be hit: 1, the next, by default. */
    readonly occurrence?: number;
    /** How many calls are hit: 1 by default, `Infinity` for all until `clear()`. */
    readonly times?: number;
}

/** A fault that was added. */
export interface CallFault extends Required<CallFaultSpec> {
    readonly id: number;
    /** Matching calls so far, hit or not. */
    readonly seen: number;
    /** Calls that were hit so far. */
    readonly hits: number;
}

type Counted = { -readonly [K in keyof CallFault]: CallFault[K] };

/**
 * The faults of the calls of one table of operations. A call is hit by one fault at most, the oldest
 * that is due; another that was due then hits the next matching call.
 */
export class CallFaults<Name extends string = string> {
    /** What becomes of VMs whose creation was hit, by id. */
    readonly vms = new Map<number, "vm-error" | "vm-stuck">();
    private faults: Counted[] = [];
    private readonly waiting: (() => void)[] = [];
    private lastId = 0;

    constructor(readonly operations: Readonly<Record<Name, Operation>>) {}

    /**
     * Adds a fault; the answer goes on counting.
     *
     * @throws ApiError 400 for an unknown operation, a kind that cannot befall it, or counts below 1
     */
    add(spec: CallFaultSpec<Name>): CallFault {
        const { operation, kind, match = {}, occurrence = 1, times = 1 } = spec;
        if (!Object.hasOwn(this.operations, operation)) {
            throw invalid("local.fault.unknown_operation", `there is no operation "${operation}"`);
        }
        if (!kindsFor(operation).includes(kind)) {
            throw invalid("local.fault.wrong_kind", `"${kind}" cannot befall ${operation}`);
        }
        if (!(occurrence >= 1 && times >= 1)) {
            throw invalid("local.fault.wrong_count", "occurrence and times start at 1");
        }
        const id = ++this.lastId;
        const fault: Counted = { id, operation, kind, match, occurrence, times, seen: 0, hits: 0 };
        this.faults.push(fault);
        return fault;
    }

    /** The faults that were not cleared, in the order in which they were added. */
    list(): readonly CallFault[] {
        return this.faults;
    }

    /** Ends all faults: calls that hang go on, and so do VMs that are stuck. */
    clear(): void {
        this.faults = [];
        this.vms.clear();
        for (const goOn of this.waiting.splice(0)) {
            goOn();
        }
    }

    /** Counts a call; gives the fault that hits it. `request` is as `match` sees it. */
    take(operation: string, request: Readonly<Record<string, unknown>>): CallFault | undefined {
        const matching = this.faults.filter(
            (fault) =>
                fault.operation === operation &&
                Object.entries(fault.match).every(
                    // Servers differ in whether numbers of a path are numbers.
                    ([member, value]) => String(request[member]) === String(value),
                ),
        );
        for (const fault of matching) {
            fault.seen += 1;
        }
        const due = matching.find(
            ({ seen, occurrence, hits, times }) => seen >= occurrence && hits < times,
        );
        if (due !== undefined) {
            due.hits += 1;
        }
        return due;
    }

    /** Ends at the next `clear()`. */
    untilCleared(): Promise<void> {
        return new Promise((resolve) => this.waiting.push(resolve));
    }
}
