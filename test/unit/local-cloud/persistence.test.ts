import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { afterEach, beforeEach, expect, test } from "@jest/globals";

import { type LocalCloud, startLocalCloud } from "../../../local-cloud/src/index";
import { Store } from "../../../local-cloud/src/state/store";

let dir: string;
const open: LocalCloud[] = [];

const start = async (folder = dir): Promise<LocalCloud> => {
    const cloud = await startLocalCloud({ dir: folder, delays: { creating: 0, starting: 0 } });
    open.push(cloud);
    return cloud;
};

beforeEach(() => {
    dir = mkdtempSync(path.join(tmpdir(), "local-cloud-"));
});
afterEach(async () => {
    for (const cloud of open.splice(0)) {
        await cloud.close();
    }
    rmSync(dir, { recursive: true });
});

const create = (cloud: LocalCloud) =>
    cloud.call("vmCreate", {
        name: "vm-1",
        zone_id: 1,
        project_id: 1,
        subnet_id: 1,
        image_id: 1,
        instance_type: "t1a.micro",
        allocate_public_ipv4: true,
    });

test("everything is there again after a restart, and ids go on", async () => {
    const first = await start();
    const vm = create(first);
    const { id } = first.call("securityGroupCreate", { name: "g" });
    first.call("recordCreate", {
        zone_name: "k8s.excloud.co.in",
        type: "A",
        name: "a",
        value: "127.64.0.1",
    });
    for (let tries = 0; first.call("vmGet", { vm_id: vm.vm_id }).state !== "RUNNING"; tries++) {
        if (tries > 500) {
            throw new Error("the VM does not run");
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
    }
    const before = first.inventory();
    const subnets = first.call("subnetList", {});
    await first.close();

    const second = await start();
    expect(second.inventory()).toEqual(before);
    expect(second.apiKey).toBe(first.apiKey);
    expect(second.call("subnetList", {})).toEqual(subnets);
    expect(second.call("vmGet", { vm_id: vm.vm_id })).toMatchObject({
        state: "RUNNING",
        interface_ipv4: vm.interface_ipv4,
        public_ipv4: vm.public_ipv4,
    });
    const next = create(second);
    expect(next.vm_id).toBe(vm.vm_id + 1);
    expect(next.interface_ipv4).not.toBe(vm.interface_ipv4);
    expect(second.call("securityGroupCreate", { name: "h" }).id).toBe(id + 1);
});

test("two clouds on a machine have networks of their own, one folder has one cloud", async () => {
    const first = await start();
    const other = mkdtempSync(path.join(tmpdir(), "local-cloud-"));
    try {
        const second = await start(other);
        expect(second.call("subnetList", {})).not.toEqual(first.call("subnetList", {}));
        await expect(start()).rejects.toThrow("another local cloud runs on the same folder");
        await second.close();
    } finally {
        rmSync(other, { recursive: true });
    }
});

test("a cloud without simulated nodes runs beside, and its VMs run", async () => {
    const cloud = await startLocalCloud({
        dir,
        nodes: "none",
        dnsZones: [],
        orgId: 7,
        apiKey: "given",
        delays: { creating: 0, starting: 0 },
    });
    open.push(cloud);
    expect(cloud.environment()).toEqual({
        EXCLOUD_COMPUTE_BASE_URL: cloud.computeUrl,
        EXCLOUD_DNS_BASE_URL: cloud.dnsUrl,
        EXCLOUD_IAM_BASE_URL: cloud.iamUrl,
        EXCLOUD_API_KEY: "given",
    });
    expect(cloud.call("me", {}).org_id).toBe(7);
    expect(cloud.call("zoneList", {})).toEqual([]);
    create(cloud);
    expect(cloud.nodes()).toEqual([]);
});

test("a store leaves no temporary files and reads what it wrote", () => {
    const file = path.join(dir, "rows.json");
    const store = new Store<{ id: number }>(file, (row) => row.id, [{ id: 1 }]);
    store.put({ id: 2 });
    store.delete(1);
    expect(readdirSync(dir)).toEqual(["rows.json"]);
    expect(new Store<{ id: number }>(file, (row) => row.id, [{ id: 9 }]).list()).toEqual([
        { id: 2 },
    ]);
    expect(existsSync(file)).toBe(true);
});
