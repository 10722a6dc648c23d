import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "@jest/globals";

import { manifestOf } from "../../../../bootstrap-server/src/rules/bundle";
import { generationOf, type Manifest, sha256 } from "../../../../contract/manifest";
import { type Body, type Harness, TestCluster, type TestNode, textFiles } from "./harness";

const slots = Array.from({ length: 10 }, (_, n) => `worker-${n + 1}`);

/** Fails unless a bundle's files are those of its generation, each with its digest, none missing. */
export function expectWhole(bundle: Body): void {
    const manifest: Manifest = Object.fromEntries(
        Object.entries(bundle.attributes).map(([path, { mode, owner }]) => [
            path,
            { mode, owner, sha256: sha256(bundle.files[path] ?? "missing") },
        ]),
    );
    expect(Object.keys(bundle.files)).toEqual(Object.keys(bundle.attributes));
    expect(generationOf(manifest)).toBe(bundle.generation);
}

/**
 * An operator that writes one bundle after another to each slot, and agents that read them all the
 * while. Whatever happens to the server, what a client was told is done is read from then on, and
 * what is read is whole.
 */
export class Load {
    /** The last bundle of each slot that the server acknowledged. */
    private readonly acknowledged = new Map<string, number>();
    written = 0;
    read = 0;
    failed = 0;
    private stopped = false;
    /** Bundles are numbered as they are sent, so a later one has a larger number. */
    private last = 0;

    private constructor(
        private readonly cluster: TestCluster,
        private readonly nodes: TestNode[],
        /** Servers that take the requests, in turn when one fails. */
        private readonly servers: () => Harness[],
    ) {}

    static async prepare(servers: () => Harness[]): Promise<Load> {
        const { cluster, nodes } = await TestCluster.complete(servers()[0]!, slots);
        for (const node of nodes) {
            const { status } = await node.firstContact();
            if (status !== 200) {
                throw new Error(`first contact: ${status}`);
            }
        }
        return new Load(cluster, nodes, servers);
    }

    /** Writes and reads until `enough`, or fails at the first wrong answer. */
    async run(enough: () => boolean): Promise<void> {
        this.stopped = false;
        const until = (): boolean => this.stopped || enough();
        const all = this.nodes.flatMap((node) => [
            this.write(node, until),
            this.readBack(node, until),
        ]);
        await Promise.all(all.map((one) => one.finally(() => (this.stopped = true))));
    }

    /** Everything that was acknowledged is there, and whole, at whichever server is asked. */
    async expectEverything(): Promise<void> {
        for (const harness of this.servers()) {
            for (const node of this.nodes) {
                await this.readOne(node, harness);
            }
        }
        expect(this.acknowledged.size).toBe(slots.length);
    }

    private bodyOf(node: TestNode, number: number) {
        // Large enough to be written in more than one piece.
        const text = `${number}\n${sha256(`${node.slot} ${number}`).repeat(500)}`;
        const files = textFiles({ "/etc/node": text, [`/etc/only-in-${number % 3}`]: "x" });
        const manifest = manifestOf({
            ...textFiles({ "/etc/role": this.cluster.roleText }),
            ...files,
        });
        const generation = generationOf(manifest);
        return { vm_id: node.vmId, address: "10.0.0.1", files, manifest, generation };
    }

    private async write(node: TestNode, until: () => boolean): Promise<void> {
        while (!until()) {
            const number = ++this.last;
            const path = `/v1/clusters/${this.cluster.id}/nodes/${node.slot}/bundle`;
            const call = { method: "PUT", body: this.bodyOf(node, number) } as const;
            const harness = this.pick();
            const status = await harness.operator(path, call).then(
                (answer) => answer.status,
                () => undefined,
            );
            if (status === 200) {
                this.acknowledged.set(node.slot, number);
                this.written++;
            } else {
                await this.failure(status);
            }
        }
    }

    private async readBack(node: TestNode, until: () => boolean): Promise<void> {
        while (!until()) {
            const status = await this.readOne(node, this.pick()).catch((error: unknown) => {
                if (error instanceof Error && "matcherResult" in error) {
                    throw error;
                }
                return undefined;
            });
            if (status === 200) {
                this.read++;
            } else {
                await this.failure(status);
            }
        }
    }

    private async readOne(node: TestNode, harness: Harness): Promise<number> {
        const known = this.acknowledged.get(node.slot) ?? 0;
        const { status, body } = await node.bundle(undefined, harness);
        if (status === 200) {
            expectWhole(body);
            const number = Number.parseInt(body.files["/etc/node"]!, 10) || 0;
            expect(number).toBeGreaterThanOrEqual(known);
        }
        return status;
    }

    /** Fails for an answer that no outage explains; else gives the server a moment. */
    private async failure(status: number | undefined): Promise<void> {
        if (status !== undefined && status < 500) {
            expect(status).toBe(200);
        }
        this.failed++;
        await sleep(50);
    }

    private pick(): Harness {
        const servers = this.servers();
        return servers[Math.floor(Math.random() * servers.length)]!;
    }
}
