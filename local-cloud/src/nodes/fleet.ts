import * as path from "node:path";

import type { VmRow } from "../state/model";
import { NodeDisk } from "./disk";
import { EtcdClusters } from "./etcd";
import { type NodeDelays, SimulatedNode } from "./node";
import type { NodeStatus } from "./status";

/** What all simulated nodes share. */
export interface FleetSettings {
    /** Folder with one folder per node. */
    readonly dir: string;
    readonly imdsUrl: string;
    readonly delays: NodeDelays;
}

/** The simulated nodes of all running VMs. */
export class NodeFleet {
    private readonly nodes = new Map<number, SimulatedNode>();
    /** The end of what each VM's node was last told to do: a node starts only after it has stopped. */
    private readonly pending = new Map<number, Promise<void>>();
    private readonly etcd: EtcdClusters;

    constructor(private readonly settings: FleetSettings) {
        this.etcd = new EtcdClusters(settings.dir);
    }

    /** Powers the VM's node on. */
    start(vm: VmRow): void {
        this.then(vm.vm_id, async () => {
            await this.nodes.get(vm.vm_id)?.stop();
            const node = new SimulatedNode(vm, this.disk(vm.vm_id), this.etcd, this.settings);
            this.nodes.set(vm.vm_id, node);
            node.start();
        });
    }

    /** Powers the VM's node off; its disk and log stay. */
    stop(vmId: number): void {
        this.then(vmId, async () => this.nodes.get(vmId)?.stop());
    }

    /** Deletes the disk of a node that was stopped. */
    remove(vmId: number): void {
        this.then(vmId, () => {
            this.nodes.get(vmId)?.forgetMember();
            this.nodes.delete(vmId);
            this.disk(vmId).erase();
            return Promise.resolve();
        });
    }

    statuses(): NodeStatus[] {
        return [...this.nodes.values()].map((node) => node.status());
    }

    log(vmId: number): readonly string[] | undefined {
        return this.nodes.get(vmId)?.log.all();
    }

    async close(): Promise<void> {
        for (const vmId of [...this.pending.keys()]) {
            this.stop(vmId);
        }
        await Promise.all(this.pending.values());
    }

    private disk(vmId: number): NodeDisk {
        return new NodeDisk(path.join(this.settings.dir, String(vmId)));
    }

    private then(vmId: number, task: () => Promise<void> | undefined): void {
        const before = this.pending.get(vmId) ?? Promise.resolve();
        this.pending.set(
            vmId,
            before.then(task).catch((error: unknown) => {
                this.nodes.get(vmId)?.log.write(`the simulation failed: ${String(error)}`);
            }),
        );
    }
}
