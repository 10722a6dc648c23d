import { adapt } from "../../../../provider/adapter";
import type { Context } from "../../../../provider/context";
import type { Handler } from "../../../../provider/handler";
import { clusterRegistration } from "../../../../provider/handlers/cluster-registration";
import { dnsRecord } from "../../../../provider/handlers/dns-record";
import { nodeAddress } from "../../../../provider/handlers/node-address";
import { nodeBundle } from "../../../../provider/handlers/node-bundle";
import { nodeSlot } from "../../../../provider/handlers/node-slot";
import { roleFiles } from "../../../../provider/handlers/role-files";
import { securityGroup } from "../../../../provider/handlers/security-group";
import { virtualMachine } from "../../../../provider/handlers/virtual-machine";
import { sha256 } from "../../../../bootstrap-server/src/secrets";
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

/** The resources of a cluster of one node, wired as the component does, but for its readiness: no node runs here. */
export function cluster(key: string, contextOf: () => Context) {
    const made = <I extends object, O extends object>(handler: Handler<I, O>) =>
        adapt(handler, contextOf);
    const providers = {
        registration: made(clusterRegistration),
        group: made(securityGroup),
        roleFiles: made(roleFiles),
        slot: made(nodeSlot),
        vm: made(virtualMachine),
        address: made(nodeAddress),
        bundle: made(nodeBundle),
        dns: made(dnsRecord),
    };
    const bootstrap = { operatorUrl: "https://bootstrap.example" };
    return (variant: Variant): Declared[] => {
        const inputs: Record<keyof typeof providers, Declared["inputs"]> = {
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
