import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { bootstrapOperations, type Call, makeClient } from "excloud-k8s/api";

import { generationOf, sha256 } from "#contract/manifest";
import { nodeName } from "#contract/names";
import { controlPlanePool, poolOf, roleOf, slotName } from "#contract/pools";
import type { Role } from "#contract/roles";
import type { Files } from "#contract/schemas";

import { manifestOf } from "../../../bootstrap-server/dist/rules/bundle";
import { addressOf, secretOf } from "./vms";

/** A node of a cluster and the VM that is to fill it. */
export interface Slot {
    clusterId: number;
    slot: string;
    role: Role;
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
const templates = join(__dirname, "../../../dist/templates");
const poolFiles: Files = Object.fromEntries(
    readdirSync(templates, { recursive: true, encoding: "utf8" })
        .filter((name) => name.endsWith(".njk"))
        .map((name) => [
            `/etc/exk8s/files/${name.replaceAll("/", "-")}`,
            fileOf(readFileSync(join(templates, name), "utf8")),
        ]),
);

/** The pool of all workers. */
const workerPool = "worker";

/** What `pulumi up` does at the bootstrap server, for any number of clusters. */
export class Operator {
    private readonly call: Call<typeof bootstrapOperations>;

    constructor(url: string, caPem: string, token: string) {
        this.call = makeClient(bootstrapOperations, {
            baseUrls: { bootstrap: url },
            token: () => token,
            credentialName: "the token",
            caPem,
        });
    }

    /** Registers a cluster of one control plane and workers, with its pools' files and slots. */
    async register(key: string, vmIds: readonly number[]): Promise<Slot[]> {
        const { cluster_id: clusterId } = await this.call("registerCluster", { key });
        const slots = vmIds.map((vmId, index): Slot => {
            const pool = index === 0 ? controlPlanePool : workerPool;
            const slot = slotName(pool, Math.max(index, 1));
            return { clusterId, slot, role: roleOf(pool), vmId };
        });
        for (const pool of [controlPlanePool, workerPool]) {
            await this.call("putPoolFiles", {
                cluster_id: clusterId,
                pool,
                role: roleOf(pool),
                slots: slots.map(({ slot }) => slot).filter((slot) => poolOf(slot) === pool),
                files: poolFiles,
            });
        }
        for (const { slot, role, vmId } of slots) {
            await this.call("putSlot", {
                cluster_id: clusterId,
                slot,
                role,
                node_name: nodeName(slot, clusterId),
                secret_sha256: sha256(secretOf(vmId)),
            });
        }
        return slots;
    }

    /** Binds a VM to its slot and puts its bundle. */
    async bind({ clusterId, slot, vmId }: Slot): Promise<void> {
        const files: Files = { [ownPath]: fileOf(ownText(vmId)) };
        const manifest = manifestOf({ ...poolFiles, ...files });
        await this.call("putBundle", {
            cluster_id: clusterId,
            slot,
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
        for (const item of left) {
            await work(item);
        }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
}
