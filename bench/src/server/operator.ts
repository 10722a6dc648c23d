import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { Agent, request } from "undici";

import { manifestOf, type Files } from "../../../bootstrap-server/dist/rules/bundle";
import { generationOf } from "../../../bootstrap-server/dist/rules/generation";
import { addressOf, secretOf } from "./vms";

/** A node of a cluster and the VM that is to fill it. */
export interface Slot {
    clusterId: number;
    slot: string;
    role: "control-plane" | "worker";
    vmId: number;
}

/** The file that no two nodes share. */
export const ownPath = "/etc/exk8s/own";

/** The text of that file: a wrong bundle is known by it. */
export function ownText(vmId: number): string {
    return `this is VM ${vmId}\n`;
}

const fileOf = (content: string) => ({ content, mode: "0600", owner: "root:root" });

/** The texts of the project's templates: as many files, as long, as a node is given. */
const templates = join(__dirname, "../../../dist/templates/files");
const roleFiles: Files = Object.fromEntries(
    readdirSync(templates).map((name) => [
        `/etc/exk8s/files/${name}`,
        fileOf(readFileSync(join(templates, name), "utf8")),
    ]),
);

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** What `pulumi up` does at the bootstrap server, for any number of clusters. */
export class Operator {
    private readonly agent: Agent;

    constructor(
        private readonly url: string,
        caPem: string,
        private readonly token: string,
    ) {
        this.agent = new Agent({ connections: 8, connect: { ca: caPem } });
    }

    async close(): Promise<void> {
        await this.agent.close();
    }

    private async call<T>(method: "PUT" | "POST", path: string, body: unknown): Promise<T> {
        const { statusCode, body: answer } = await request(`${this.url}${path}`, {
            method,
            dispatcher: this.agent,
            headers: {
                authorization: `Bearer ${this.token}`,
                "content-type": "application/json",
            },
            body: JSON.stringify(body),
        });
        const text = await answer.text();
        if (statusCode !== 200) throw new Error(`${method} ${path}: ${statusCode} ${text}`);
        return JSON.parse(text) as T;
    }

    /** Registers a cluster of one control plane and workers, with its roles' files and slots. */
    async register(key: string, vmIds: readonly number[]): Promise<Slot[]> {
        const { cluster_id: clusterId } = await this.call<{ cluster_id: number }>(
            "POST",
            "/v1/clusters",
            { key },
        );
        const slots = vmIds.map((vmId, index): Slot => {
            const isFirst = index === 0;
            return {
                clusterId,
                slot: isFirst ? "cp-1" : `worker-${index}`,
                role: isFirst ? "control-plane" : "worker",
                vmId,
            };
        });
        for (const role of ["control-plane", "worker"] as const) {
            const names = slots.filter((one) => one.role === role).map(({ slot }) => slot);
            const body = { slots: names, files: roleFiles };
            await this.call("PUT", `/v1/clusters/${clusterId}/roles/${role}/files`, body);
        }
        for (const { slot, role, vmId } of slots) {
            await this.call("PUT", `/v1/clusters/${clusterId}/nodes/${slot}`, {
                role,
                node_name: `${slot}.cluster-${clusterId}.internal`,
                secret_sha256: sha256(secretOf(vmId)),
            });
        }
        return slots;
    }

    /** Binds a VM to its slot and puts its bundle. */
    async bind({ clusterId, slot, vmId }: Slot): Promise<void> {
        const files: Files = { [ownPath]: fileOf(ownText(vmId)) };
        const manifest = manifestOf({ ...roleFiles, ...files });
        await this.call("PUT", `/v1/clusters/${clusterId}/nodes/${slot}/bundle`, {
            vm_id: vmId,
            address: addressOf(vmId),
            files,
            manifest,
            generation: generationOf(manifest),
        });
    }
}

/** Does something for all items, so many at a time. */
export async function forAll<T>(
    items: readonly T[],
    atOnce: number,
    work: (item: T) => Promise<void>,
): Promise<void> {
    const left = items.values();
    const worker = async () => {
        for (const item of left) await work(item);
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
}
