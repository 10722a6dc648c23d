import { rmSync } from "node:fs";
import * as path from "node:path";

import type { Disks, NodeDriver } from "../nodes/driver";
import type { NodeStatus } from "../nodes/status";
import type { VmRow } from "../state/model";
import type { Stores } from "../state/stores";
import { Machine, type MachineSettings } from "./machine";

/** What the driver tells the cloud about VMs that stopped by themselves. */
export interface RealNodesEvents {
    /** The VM has powered itself off. */
    poweredOff(vmId: number): void;
    /** Something went wrong that no call of the API can say. */
    problem(line: string): void;
}

/**
 * Real nodes: every running VM is a booted systemd. What a passing state stands for is done for real,
 * one thing after the other for each VM.
 */
export class RealNodes implements NodeDriver {
    private readonly machines = new Map<number, Machine>();
    private readonly states = new Map<number, NodeStatus["state"]>();
    /** The end of what each VM was last told to do. */
    private readonly pending = new Map<number, Promise<void>>();

    constructor(
        private readonly settings: MachineSettings,
        private readonly volumes: Stores["volumes"],
        private readonly events: RealNodesEvents,
    ) {}

    readonly disks: Disks = {
        copy: async (vmId, snapshotId) => {
            const machine = vmId === undefined ? undefined : this.machines.get(vmId);
            if (vmId === undefined || machine === undefined) {
                throw new Error("there is no disk of this volume");
            }
            await this.after(vmId, () => machine.copyDisk(this.snapshotFile(snapshotId))).catch(
                (error: unknown) => {
                    this.events.problem(`snapshot ${snapshotId}: ${String(error)}`);
                    throw error;
                },
            );
        },
        erase: (snapshotId) => rmSync(this.snapshotFile(snapshotId), { force: true }),
    };

    readonly work: NodeDriver["work"] = (vm, done, failed) => {
        this.after(vm.vm_id, () => this.perform(vm)).then(done, (error: unknown) => {
            this.states.set(vm.vm_id, "failed");
            this.events.problem(`${vm.state} of VM ${vm.vm_id}: ${String(error)}`);
            failed();
        });
        // What was begun is ended: the next task of this VM waits for it.
        return () => undefined;
    };

    entered(): void {
        // All is done before a state is entered.
    }

    resume(vm: VmRow): void {
        this.after(vm.vm_id, () => this.powerOn(vm)).catch((error: unknown) => {
            this.events.problem(`VM ${vm.vm_id} did not come back: ${String(error)}`);
        });
    }

    statuses(): NodeStatus[] {
        return [...this.machines].map(([vmId, machine]) => ({
            ...machine.identity,
            state: this.states.get(vmId) ?? "stopped",
            ...(machine.pid === undefined ? {} : { pid: machine.pid }),
        }));
    }

    log(vmId: number): readonly string[] | undefined {
        return this.machines.get(vmId)?.console();
    }

    async close(): Promise<void> {
        await Promise.all(
            [...this.machines].map(([vmId, machine]) => this.after(vmId, () => machine.cutPower())),
        );
    }

    private async perform(vm: VmRow): Promise<void> {
        switch (vm.state) {
            case "CREATING":
                return this.machine(vm).prepare(
                    this.volumes.get(vm.root_volume_id)?.size_bytes ?? 0,
                    this.snapshotFile(vm.image_id),
                );
            case "STARTING":
                return this.powerOn(vm);
            case "STOPPING":
                this.states.set(vm.vm_id, "stopped");
                return this.machine(vm).shutDown();
            case "RESTARTING":
                await this.machine(vm).shutDown();
                return this.powerOn(vm);
            case "TERMINATING":
                this.states.set(vm.vm_id, "stopped");
                await this.machine(vm).cutPower();
                if (vm.delete_root_volume) {
                    await this.machine(vm).erase();
                    this.machines.delete(vm.vm_id);
                }
        }
    }

    private async powerOn(vm: VmRow): Promise<void> {
        this.states.set(vm.vm_id, "booting");
        const machine = this.machine(vm);
        await machine.boot(vm);
        this.states.set(vm.vm_id, "ready");
    }

    private snapshotFile(snapshotId: number): string {
        return path.join(this.settings.dir, `snapshot-${snapshotId}.img`);
    }

    private machine(vm: VmRow): Machine {
        const known = this.machines.get(vm.vm_id);
        if (known !== undefined) {
            return known;
        }
        const machine: Machine = new Machine(vm, this.settings, (ending) => {
            this.states.set(vm.vm_id, "stopped");
            if (ending === "power-off") {
                this.events.poweredOff(vm.vm_id);
            } else {
                this.resume(vm);
            }
        });
        this.machines.set(vm.vm_id, machine);
        return machine;
    }

    private after(vmId: number, task: () => Promise<void>): Promise<void> {
        const before = this.pending.get(vmId) ?? Promise.resolve();
        const done = before.then(task);
        this.pending.set(
            vmId,
            done.catch(() => undefined),
        );
        return done;
    }
}
