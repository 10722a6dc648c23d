import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";

import { delayed, Lifecycle, type LifecycleAction } from "../../../local-cloud/src/lifecycle";
import type { VmRow, VmState } from "../../../local-cloud/src/state/model";
import { Store } from "../../../local-cloud/src/state/store";

const delays = { creating: 10, starting: 20, stopping: 30, restarting: 40, terminating: 50 };

let folder: string;
let vms: Store<VmRow>;
let entered: VmState[];
let lifecycle: Lifecycle;

const vm = (state: VmState): VmRow => ({
    vm_id: 1,
    name: "vm",
    state,
    zone_id: 1,
    project_id: 1,
    subnet_id: 1,
    instance_type: "t1a.small",
    image_id: 1,
    image_name: "ubuntu-24.04-latest",
    root_volume_id: 1,
    delete_root_volume: false,
    delete_protection: false,
    created_at: "2026-01-01T00:00:00Z",
    user_data: null,
    allocate_public_ipv4: false,
    public_ipv4: null,
    interface: { id: 1, ipv4: "127.64.0.10", security_group_ids: [] },
});

const newLifecycle = (): Lifecycle =>
    new Lifecycle(vms, delayed(delays), ({ state }) => {
        entered.push(state);
    });

beforeEach(() => {
    jest.useFakeTimers();
    folder = mkdtempSync(path.join(tmpdir(), "local-cloud-"));
    vms = new Store(path.join(folder, "vms.json"), (row) => row.vm_id);
    entered = [];
    lifecycle = newLifecycle();
});
afterEach(() => {
    lifecycle.close();
    jest.useRealTimers();
    rmSync(folder, { recursive: true });
});

describe("the state machine of VMs", () => {
    test.each<[LifecycleAction | "create", VmState, VmState[]]>([
        ["create", "CREATING", ["CREATING", "STARTING", "RUNNING"]],
        ["stop", "RUNNING", ["STOPPING", "STOPPED"]],
        ["start", "STOPPED", ["STARTING", "RUNNING"]],
        ["restart", "RUNNING", ["RESTARTING", "RUNNING"]],
        ["terminate", "RUNNING", ["TERMINATING", "TERMINATED"]],
        ["terminate", "CREATING", ["TERMINATING", "TERMINATED"]],
        ["terminate", "STOPPED", ["TERMINATING", "TERMINATED"]],
    ])("%s from %s goes through %j", (action, from, states) => {
        const answer =
            action === "create"
                ? lifecycle.enter(vm("CREATING"), "CREATING")
                : lifecycle.perform(vms.put(vm(from)), action);
        expect(answer.state).toBe(states[0]);
        jest.runAllTimers();
        expect(entered).toEqual(states);
        expect(vms.get(1)?.state).toBe(states.at(-1));
    });

    const all: VmState[] = [
        "CREATING",
        "STARTING",
        "RUNNING",
        "STOPPING",
        "STOPPED",
        "RESTARTING",
        "TERMINATING",
        "TERMINATED",
    ];
    const allowed: Record<LifecycleAction, VmState[]> = {
        start: ["STOPPED"],
        stop: ["RUNNING"],
        restart: ["RUNNING"],
        terminate: ["CREATING", "STARTING", "RUNNING", "STOPPING", "STOPPED", "RESTARTING"],
    };
    test.each(Object.entries(allowed) as [LifecycleAction, VmState[]][])(
        "%s is refused in every state but %j",
        (action, states) => {
            for (const state of all.filter((one) => !states.includes(one))) {
                expect(() => lifecycle.perform(vms.put(vm(state)), action)).toThrow(
                    expect.objectContaining({
                        status: 409,
                        code: "compute.instance.invalid_state",
                    }),
                );
                expect(vms.get(1)?.state).toBe(state);
            }
        },
    );

    test("terminating a VM that starts ends its start", () => {
        lifecycle.enter(vm("CREATING"), "CREATING");
        jest.advanceTimersByTime(delays.creating);
        expect(vms.get(1)?.state).toBe("STARTING");
        lifecycle.perform(vms.get(1) ?? vm("STARTING"), "terminate");
        jest.runAllTimers();
        expect(entered).toEqual(["CREATING", "STARTING", "TERMINATING", "TERMINATED"]);
    });

    test("states that passed when the cloud was stopped go on after a restart", () => {
        lifecycle.enter(vm("CREATING"), "CREATING");
        lifecycle.close();
        jest.runAllTimers();
        expect(vms.get(1)?.state).toBe("CREATING");
        vms = new Store(path.join(folder, "vms.json"), (row) => row.vm_id);
        lifecycle = newLifecycle();
        lifecycle.resume();
        jest.runAllTimers();
        expect(vms.get(1)?.state).toBe("RUNNING");
    });
});
