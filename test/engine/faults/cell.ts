import type { OperationName } from "excloud-k8s/api";

import { type Cell, type Phase } from "../../contract/faults/support/cell";
import type { Bench } from "../cluster/harness";
import { bindOtherGroup, editRecord, stopVm } from "./behind";
import { declared, found } from "./leftovers";
import { addFault, clearFaults, listFaults, stackTrace, up } from "./support";

/** How long things may take, for runs that wait for what never comes. Seconds. */
export const timeouts = { vmCreate: 40, vmDelete: 40, ready: 120 };

const flags = ["--yes", "--skip-preview"];

const commands: Record<Phase, string> = {
    create: "up",
    update: "up",
    refresh: "refresh",
    delete: "destroy",
};

/** What the engine's diagnostics name: the resource by its type and name; the call, or the thing with its id. */
const resource = /^ *pulumi-nodejs:dynamic\/excloud-k8s:\w+ \(quickstart\S*\):$/m;
const subject = /(GET|POST|PUT|DELETE) http|[a-zA-Z]+ \S+ \(\d+\)|property \w+ value /;

/** A cluster that cells of the matrix befall on the real engine, one after the other. */
export class Victim {
    /** Whether the cluster is known to be as it is declared. */
    private isWhole = false;
    private updates = 0;

    /** @param otherGroup a security group that is somebody else's */
    constructor(
        readonly bench: Bench,
        private readonly otherGroup: number,
    ) {}

    /** Runs a cell from whatever the one before it left. Throws an error that says what is wrong. */
    async befall(cell: Cell): Promise<void> {
        await this.prepare(cell.phase);
        this.isWhole = false;
        const { code, text, wasHit } = await this.runWithFault(cell);
        const [, diagnostics = ""] = text.split(/^Diagnostics:$/m);
        mustHold(text, {
            "the fault was hit": wasHit,
            "the error names the resource": code === 0 || resource.test(diagnostics),
            "the error names the call or the thing": code === 0 || subject.test(diagnostics),
            "the error gives the next step": code === 0 || /Next: ./.test(diagnostics),
            "no stack trace is shown": !stackTrace.test(text),
        });
        // What a destroy deleted without knowing is still in the state.
        const repair = await up(this.bench.stack, cell.phase === "delete" ? ["--refresh"] : []);
        mustHold(repair.text, { "the next up succeeds": repair.code === 0 });
        await this.mustHoldWhatIsDeclared();
        const states = (await this.bench.vms()).map(({ state }) => state);
        mustHold(states.join(), { "one VM runs": states.join() === "RUNNING" });
        await this.bench.pulumi(["preview", "--expect-no-changes"]);
        this.isWhole = true;
    }

    /** Ends the cluster; nothing of it may be left. */
    async destroy(): Promise<void> {
        this.isWhole = false;
        await this.bench.pulumi(["destroy", ...flags]);
        await this.mustHoldWhatIsDeclared();
        const left = (await this.bench.resources()).map(({ urn }) => urn);
        mustHold(left.join("\n"), { "the state is empty": left.length === 0 });
    }

    /** What has to be there before a phase. */
    private async prepare(phase: Phase): Promise<void> {
        if (phase === "create") {
            return this.destroy();
        }
        if (!this.isWhole) {
            await this.bench.pulumi(["up", "--refresh", ...flags]);
        }
        if (phase === "update") {
            await stopVm(this.bench);
            await editRecord(this.bench);
            await bindOtherGroup(this.bench, this.otherGroup);
            await this.bench.pulumi(["refresh", ...flags]);
            this.updates += 1;
            const cidr = `10.0.${this.updates}.0/24`;
            await this.bench.stack.set("cluster.apiServerAllowedCidrs[0]", cidr);
        }
    }

    /** Runs the command of a cell's phase while its fault is there. */
    private async runWithFault({ phase, operation, kind, lasts }: Cell) {
        // These cells are of the cloud's operations alone; and JSON has no infinity.
        const name = operation as OperationName;
        const times = lasts === "once" ? {} : { times: null as unknown as number };
        await addFault(this.bench, { operation: name, kind, ...times });
        try {
            const { code, stdout, stderr } = await this.bench.stack.capture([
                commands[phase],
                ...flags,
            ]);
            const [fault] = await listFaults(this.bench);
            return { code, text: stdout + stderr, wasHit: fault!.hits > 0 };
        } finally {
            await clearFaults(this.bench);
        }
    }

    private async mustHoldWhatIsDeclared(): Promise<void> {
        const inState = [...declared(await this.bench.resources()), `group ${this.otherGroup}`];
        const inCloud = await found(this.bench);
        mustHold(`the cloud:\n${inCloud.join("\n")}\nthe state:\n${inState.sort().join("\n")}`, {
            "the cloud holds what is declared": inCloud.join("\n") === inState.join("\n"),
        });
    }
}

function mustHold(text: string, claims: Readonly<Record<string, boolean>>): void {
    const broken = Object.keys(claims).filter((claim) => !claims[claim]);
    if (broken.length > 0) {
        throw new Error(`it does not hold that ${broken.join(", ")}:\n${text}`);
    }
}
