import { expect } from "@jest/globals";

import { VmServers } from "../bootstrap-server/vm-servers";
import { credentialsOf, type Live } from "./live";

/** How an example is used: with which configuration, and what its user looks at. */
export interface Use {
    /** Subnet of the local cloud: 1 has public addresses (the default), 2 is private. */
    readonly subnetId?: number;
    /** Control planes that it makes. */
    readonly nodes: number;
    /** Makes what must be there already; gives the configuration beside what all examples have. */
    prepare?(live: Live): Promise<Readonly<Record<string, string | number | object>>>;
    /** After `pulumi up`. */
    check?(live: Live): Promise<void>;
    /** Why it is previewed only, and where what it shows is really done. */
    readonly isPreviewedOnly?: string;
    /** What `pulumi destroy` asks for. */
    beforeDestroy?(live: Live): Promise<void>;
    /** Deletes what {@link prepare} made. */
    cleanUp?(live: Live): Promise<void>;
}

let vmServers: VmServers | undefined;

/** By the example's folder. */
export const uses: Readonly<Record<string, Use>> = {
    "single-node": { nodes: 1, check: kubeconfigWorks },
    "three-control-planes": {
        nodes: 3,
        prepare: () => Promise.resolve({ administrators: ["127.0.0.0/8"] }),
        check: kubeconfigWorks,
        async beforeDestroy(live) {
            const refused = await live.pulumi(["destroy", "--yes", "--skip-preview"], 1);
            expect(refused).toContain("set deletionProtection to false");
            await live.stack.set("deletionProtection", false);
            await live.pulumi(["up", "--yes", "--skip-preview"]);
        },
    },
    "own-authorities": {
        nodes: 1,
        async check(live) {
            await kubeconfigWorks(live);
            const { clusterAuthority, kubeconfig } = await live.outputs();
            expect(credentialsOf(kubeconfig).ca).toBe(clusterAuthority);
        },
    },
    "private-network": {
        nodes: 3,
        subnetId: 2,
        async prepare({ cloud }) {
            const { id } = await cloud("securityGroupCreate", { name: groupName });
            return { securityGroupIds: [id] };
        },
        async check(live) {
            await kubeconfigWorks(live);
            expect(await live.inventory()).toMatchObject({
                securityGroups: [{ name: groupName }],
                reservations: [],
            });
        },
        async cleanUp({ cloud }) {
            const groups = await cloud("securityGroupList");
            const { id } = groups.find(({ name }) => name === groupName)!;
            await cloud("securityGroupDelete", { security_group_id: id });
        },
    },
    "larger-program": { nodes: 1, check: kubeconfigWorks },
    "two-clusters": {
        nodes: 2,
        async check(live) {
            const { names, kubeconfigs } = (await live.outputs()) as Record<string, string[]>;
            expect(new Set(names).size).toBe(2);
            const authorities = kubeconfigs!.map((kubeconfig) => credentialsOf(kubeconfig).ca);
            expect(new Set(authorities).size).toBe(2);
            for (const kubeconfig of kubeconfigs!) {
                expect(await live.readyz(kubeconfig)).toBe("ok");
            }
        },
    },
    "air-gap": {
        nodes: 1,
        prepare: () => Promise.resolve({ mirror: "mirror.example" }),
        async check(live) {
            await kubeconfigWorks(live);
            const [vm] = await live.cloud("vmList", {});
            const read = (path: string) => live.fileOnNode(vm!.vm_id, path);
            const settings = read("etc/exk8s/config/cluster.env");
            expect(settings).toContain("BINARY_MIRROR='https://mirror.example'");
            expect(settings).toContain("PACKAGE_MIRROR='https://mirror.example/debian'");
            expect(settings).toContain("CHARTS='oci://mirror.example/cilium/charts'");
            expect(read("etc/containerd/certs.d/_default/hosts.toml")).toContain(
                "https://mirror.example",
            );
        },
    },
    "bootstrap-server": {
        nodes: 1,
        async prepare({ stack, around }) {
            vmServers = new VmServers(around.cloudFolder);
            await stack.setSecret("serverApiKey", around.services.environment["EXCLOUD_API_KEY"]!);
            return { allowedCidr: "127.0.0.0/8", npmRegistry: "https://npm.example" };
        },
        async check(live) {
            const { operatorUrl, caPem, operatorToken } = await live.outputs();
            expect(operatorUrl).toMatch(/^https:\/\/[\d.]+:8443$/);
            expect(caPem).toContain("BEGIN CERTIFICATE");
            expect(String(operatorToken).length).toBeGreaterThanOrEqual(32);
        },
        cleanUp: async () => vmServers?.close(),
    },
    "image-bake": {
        nodes: 0,
        prepare: () => Promise.resolve({ baseImageId: 1, sshAllowedCidr: "127.0.0.1/32" }),
        isPreviewedOnly:
            "a simulated VM has no SSH; test/engine/image and test/stories/image bake images",
    },
};

const groupName = "nodes of our network";

async function kubeconfigWorks(live: Live): Promise<void> {
    const { kubeconfig } = await live.outputs();
    expect(await live.readyz(kubeconfig)).toBe("ok");
}
