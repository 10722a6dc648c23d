import type { DynamicProvider } from "../../../../provider/adapter";

/** A resource that a program declares; later ones may use what earlier ones gave. */
export interface Declared {
    readonly name: string;
    readonly provider: DynamicProvider;
    /** What takes this with it when it is deleted, so that nobody is asked to delete this one. */
    readonly deletedWith?: string;
    readonly inputs: (of: (name: string) => Properties) => Properties;
}

export type Properties = Record<string, unknown>;

interface Kept {
    id: string;
    inputs: Properties;
    outputs: Properties;
    provider: DynamicProvider;
    /** The last operation failed after it had made something. */
    isUnfinished: boolean;
}

/** An operation failed; the message names its resource as Pulumi's does. */
export class OperationError extends Error {}

/**
 * Does with dynamic providers what Pulumi's engine does with them, in this process: the same calls in the
 * same order, the same state kept after each. One resource after the other, and all are deleted before
 * they are replaced.
 */
export class SmallEngine {
    private readonly state = new Map<string, Kept>();
    /** In the order of the program, in which the later ones depend on the earlier ones. */
    private program: readonly Declared[] = [];

    idOf(name: string): string | undefined {
        return this.state.get(name)?.id;
    }

    /** Brings everything to what the program declares. Gives the operations that were needed. */
    async up(program: readonly Declared[]): Promise<string[]> {
        const steps: string[] = [];
        this.program = program;
        for (const { name, provider, inputs } of program) {
            const wanted = inputs((other) => ({
                ...this.state.get(other)?.outputs,
                id: this.state.get(other)?.id,
            }));
            const step = await this.converge(name, provider, wanted);
            if (step !== "same") {
                steps.push(`${step} ${name}`);
            }
        }
        return steps;
    }

    async refresh(): Promise<void> {
        for (const [name, kept] of this.state) {
            const found = await step(name, () => kept.provider.read(kept.id, kept.outputs));
            if (found.id === undefined) {
                this.state.delete(name);
                continue;
            }
            kept.outputs = found.props;
            kept.inputs = (found.inputs as Properties | undefined) ?? kept.inputs;
        }
    }

    async destroy(): Promise<void> {
        for (const { name, deletedWith } of [...this.program].reverse()) {
            if (deletedWith !== undefined && this.state.has(deletedWith)) {
                this.state.delete(name);
            } else {
                await this.delete(name);
            }
        }
    }

    private async converge(
        name: string,
        provider: DynamicProvider,
        wanted: Properties,
    ): Promise<"same" | "create" | "update" | "replace"> {
        const kept = this.state.get(name);
        const inputs = await checked(name, provider, kept?.inputs ?? {}, wanted);
        if (kept === undefined) {
            await this.create(name, provider, inputs);
            return "create";
        }
        const { changes, replaces } = await step(name, () =>
            provider.diff(kept.id, kept.outputs, inputs),
        );
        if (replaces.length > 0) {
            await this.delete(name);
            await this.create(name, provider, await checked(name, provider, {}, wanted));
            return "replace";
        }
        if (!changes && !kept.isUnfinished) {
            kept.inputs = inputs;
            return "same";
        }
        await step(name, async () => {
            try {
                const { outs } = await provider.update(kept.id, kept.outputs, inputs);
                Object.assign(kept, { inputs, outputs: outs, isUnfinished: false });
            } catch (error) {
                const part = partOf(error);
                if (part !== undefined) {
                    Object.assign(kept, { inputs, outputs: part.outputs, isUnfinished: true });
                }
                throw error;
            }
        });
        return "update";
    }

    private create(name: string, provider: DynamicProvider, inputs: Properties): Promise<void> {
        return step(name, async () => {
            try {
                const { id, outs } = await provider.create(inputs);
                this.state.set(name, { id, inputs, outputs: outs, provider, isUnfinished: false });
            } catch (error) {
                const part = partOf(error);
                if (part !== undefined) {
                    this.state.set(name, { ...part, inputs, provider, isUnfinished: true });
                }
                throw error;
            }
        });
    }

    private async delete(name: string): Promise<void> {
        const kept = this.state.get(name);
        if (kept !== undefined) {
            await step(name, () => kept.provider.delete(kept.id, kept.outputs));
            this.state.delete(name);
        }
    }
}

async function checked(
    name: string,
    provider: DynamicProvider,
    old: Properties,
    wanted: Properties,
): Promise<Properties> {
    const { inputs, failures } = await step(name, () => provider.check(old, wanted));
    if (failures.length > 0) {
        const faults = failures.map(({ property, reason }) => `${property}: ${reason}`);
        throw new OperationError(`${name}: ${faults.join("; ")}`);
    }
    return inputs;
}

async function step<T>(name: string, run: () => Promise<T>): Promise<T> {
    try {
        return await run();
    } catch (error) {
        throw new OperationError(`${name}: ${(error as Error).message}`);
    }
}

/** What an operation that failed had made, as the dynamic provider's process tells the engine. */
function partOf(error: unknown): { id: string; outputs: Properties } | undefined {
    const { id, properties } = error as { id?: string; properties?: Properties };
    return id === undefined ? undefined : { id, outputs: properties ?? {} };
}
