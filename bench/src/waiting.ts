/** An operation of the engine on a resource, in milliseconds since the command began. */
export interface Operation {
    readonly urn: string;
    readonly op: string;
    readonly begin: number;
    readonly end: number;
}

interface Metadata {
    op: string;
    urn: string;
    new?: { custom?: boolean };
    old?: { custom?: boolean };
}

/** Takes up the lines of `--json` as they come, and tells when each operation began and ended. */
export class OperationLog {
    readonly operations: Operation[] = [];
    private readonly underWay = new Map<string, number>();
    private readonly started = performance.now();

    /** Takes up one line of the engine's output. */
    line(text: string): void {
        const now = performance.now() - this.started;
        if (!text.includes('"resourcePreEvent"') && !text.includes('"resOutputsEvent"')) {
            return;
        }
        const event = JSON.parse(text) as Partial<Record<string, { metadata: Metadata }>>;
        const began = event["resourcePreEvent"]?.metadata;
        const ended = event["resOutputsEvent"]?.metadata;
        // A component is under way as long as its children are, and does nothing itself.
        if (began && isCustom(began)) {
            this.underWay.set(`${began.op} ${began.urn}`, now);
        } else if (ended && isCustom(ended)) {
            const begin = this.underWay.get(`${ended.op} ${ended.urn}`) ?? now;
            this.operations.push({ urn: ended.urn, op: ended.op, begin, end: now });
        }
    }
}

function isCustom({ new: fresh, old }: Metadata): boolean {
    return (fresh ?? old)?.custom === true;
}

/** Resources whose operations wait for machines: until one runs, is terminated, or is a healthy node. */
const machines = /:(VirtualMachine|ClusterReadiness)::/;

/**
 * Milliseconds in which a command did nothing but wait for machines: at least one operation on a VM or
 * on the readiness was under way, none on any other resource, and it was a machine that ended the pause.
 * A pause that ends with another resource's operation was the program at work.
 */
export function waitedForMachines(operations: readonly Operation[]): number {
    const moments = [...new Set(operations.flatMap(({ begin, end }) => [begin, end]))].sort(
        (a, b) => a - b,
    );
    let waited = 0;
    let since: number | undefined;
    moments.forEach((moment, index) => {
        const next = moments[index + 1] ?? moment;
        const ended = operations.filter(({ end }) => end === moment);
        if (since !== undefined && ended.some(isOfMachine)) {
            waited += moment - since;
            since = moment;
        }
        const underWay = operations.filter(({ begin, end }) => begin < next && end > moment);
        const isPause = underWay.length > 0 && underWay.every(isOfMachine);
        since = isPause ? (since ?? moment) : undefined;
    });
    return waited;
}

function isOfMachine({ urn }: Operation): boolean {
    return machines.test(urn);
}
