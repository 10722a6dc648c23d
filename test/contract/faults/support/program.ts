import { sha256 } from "../../../../bootstrap-server/src/secrets";
import { adapt } from "../../../../provider/adapter";
import type { Context } from "../../../../provider/context";
import type { Handler } from "../../../../provider/handler";
import { bootstrapServerReadiness } from "../../../../provider/resources/bootstrap-server-readiness";
import { clusterRegistration } from "../../../../provider/resources/cluster-registration";
import { dnsRecord } from "../../../../provider/resources/dns-record";
import { imageBuilder } from "../../../../provider/resources/image-builder";
import { imageSlot } from "../../../../provider/resources/image-slot";
import { machineImage } from "../../../../provider/resources/machine-image";
import { nodeAddress } from "../../../../provider/resources/node-address";
import { nodeBundle } from "../../../../provider/resources/node-bundle";
import { nodeSlot } from "../../../../provider/resources/node-slot";
import { roleFiles } from "../../../../provider/resources/role-files";
import { securityGroup } from "../../../../provider/resources/security-group";
import { virtualMachine } from "../../../../provider/resources/virtual-machine/handler";
import { machine } from "../../../support/machine";
import type { Declared, Properties } from "./small-engine";

/** What may differ between two runs of a program. */
export interface Variant {
    /** Ports that may be reached from everywhere. */
    readonly ports: readonly string[];
    /** Text of the files. */
    readonly text: string;
    /** Security groups of the user, beside the cluster's own. */
    readonly groups: readonly number[];
    readonly ttl: number;
    /** Addresses of the DNS name beside the node's own. */
    readonly addresses: readonly string[];
}

/** What belongs to the image. */
export const ofImage: readonly string[] = ["imageSlot", "builder", "image"];

/**
 * The resources of a cluster of one node and of an image, wired as the components do, but for what needs a node
 * that runs: the readiness of nodes, and the baking.
 */
export function cluster(key: string, contextOf: () => Context) {
    const made = <I extends object, O extends object>(handler: Handler<I, O>) =>
        adapt(handler, contextOf);
    const providers = {
        server: made(bootstrapServerReadiness),
        registration: made(clusterRegistration),
        group: made(securityGroup),
        roleFiles: made(roleFiles),
        slot: made(nodeSlot),
        vm: made(virtualMachine),
        address: made(nodeAddress),
        bundle: made(nodeBundle),
        dns: made(dnsRecord),
        imageSlot: made(imageSlot),
        builder: made(imageBuilder),
        image: made(machineImage),
    };
    const bootstrap = { operatorUrl: "https://bootstrap.example" };
    return (variant: Variant): Declared[] => {
        const inputs: Record<keyof typeof providers, Declared["inputs"]> = {
            server: () => ({ bootstrap, vmId: "1", timeout: 20 }),
            registration: () => ({ bootstrap, key, dnsZone }),
            group: (of) => ({
                name: of("registration")["clusterName"],
                description: "nodes",
                subnetId: 1,
                rules: Object.fromEntries(
                    variant.ports.map((port) => [`port ${port}`, open(port)]),
                ),
                timeouts,
            }),
            roleFiles: (of) => ({
                bootstrap,
                clusterId: of("registration")["clusterId"],
                role: "control-plane",
                slots: ["cp-1"],
                ...filesOf("/etc/exk8s/shared", variant.text),
            }),
            slot: (of) => ({
                bootstrap,
                clusterId: of("registration")["clusterId"],
                slot: "cp-1",
                role: "control-plane",
                vmName: `${String(of("registration")["clusterName"])}-cp-1`,
                timeouts,
                nodeName: `cp-1.cluster-${String(of("registration")["clusterId"])}.internal`,
            }),
            vm: (of) => ({
                ...machine(),
                name: `${String(of("registration")["clusterName"])}-cp-1`,
                clusterId: of("registration")["clusterId"],
                securityGroupIds: [Number(of("group")["id"]), ...variant.groups],
                userData: `#!/bin/sh\n# ${String(of("slot")["slotSecret"])}\n`,
                timeouts: { ...timeouts, create: 20 },
            }),
            address: (of) => ({ vmId: of("vm")["id"] }),
            bundle: (of) => ({
                bootstrap,
                clusterId: of("registration")["clusterId"],
                slot: "cp-1",
                vmId: of("vm")["id"],
                address: of("address")["privateIpv4"],
                ...filesOf("/etc/exk8s/own", variant.text),
                roleManifest: of("roleFiles")["manifest"],
            }),
            dns: (of) => ({
                zoneName: dnsZone,
                type: "A",
                name: of("registration")["clusterName"],
                values: [of("address")["privateIpv4"], ...variant.addresses],
                ttl: variant.ttl,
            }),
            imageSlot: (of) => ({ name: imageName(of, variant), timeouts }),
            builder: (of) => ({
                ...placeOfBuilder,
                name: imageName(of, variant),
                userData: "#!/bin/sh\n",
                contents: { script: variant.text },
                timeouts: { ...timeouts, create: 20 },
            }),
            image: (of) => ({
                name: imageName(of, variant),
                zoneId: 1,
                builderVmId: of("builder")["id"],
                contents: { script: variant.text },
                timeouts: { ...timeouts, create: 20 },
            }),
        };
        return (Object.keys(providers) as (keyof typeof providers)[]).map((name) => ({
            name,
            provider: providers[name],
            ...(name === "address" || name === "bundle" ? { deletedWith: "vm" } : {}),
            inputs: inputs[name],
        }));
    };
}

const timeouts = { delete: 20 };
const dnsZone = "k8s.excloud.co.in";

const placeOfBuilder = {
    zoneId: 1,
    projectId: 1,
    subnetId: 1,
    imageId: 1,
    instanceType: "t1a.medium",
    allocatePublicIpv4: true,
    rootVolumeSizeGib: 20,
    securityGroupIds: [],
};

/** The image of a variant is named after what it holds. */
const imageName = (of: Parameters<Declared["inputs"]>[0], { text }: Variant) =>
    `${String(of("registration")["clusterName"])}-image-${text}`;

const open = (portRange: string): Properties => ({
    direction: "ingress",
    protocol: "TCPv4",
    portRange,
    cidr: "0.0.0.0/0",
});

function filesOf(path: string, text: string): Properties {
    return {
        files: { [path]: `0644 root:root\n${text}` },
        secretFiles: {},
        secretDigests: {},
        manifest: { [path]: `${sha256(text)} 0644 root:root` },
    };
}
