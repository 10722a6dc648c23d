import { jest } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import type { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";
import { disconnect } from "@pulumi/pulumi/runtime";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks";

import { ExcloudK8sCluster, type ExcloudK8sClusterArgs } from "../../../components";

/** A resource as the program registers it. */
export interface Registered {
    /** The last part of its type token. */
    type: string;
    name: string;
    /** Secrets are `{ secret: value }`. */
    inputs: Record<string, unknown>;
    deleteBeforeReplace: boolean;
    deletedWith: string;
    secretOutputs: string[];
    /** Resources it waits for, each as `type name`. */
    waitsFor: string[];
}

/** A cluster of a program, and all that was registered. */
export interface Program {
    cluster: ExcloudK8sCluster;
    resources: Registered[];
    of: (type: string) => Registered[];
    one: (type: string, name: string) => Registered;
}

/** What the world answers: addresses of VMs by slot, and whether the DNS zone is ours. */
export interface World {
    addresses?: Record<string, { privateIpv4: string; privateIpv6?: string; publicIpv4?: string }>;
    isZoneOurs?: boolean;
}

export const goodArgs: ExcloudK8sClusterArgs = {
    controlPlaneImageId: 1,
    controlPlaneInstanceType: "t1a.medium",
    subnetId: 5,
    bootstrap: {
        operatorUrl: "https://bootstrap.example:8443",
        caPem: "-----BEGIN CERTIFICATE-----",
    },
};

const secretSignature = "4dabf18193072939515e22adb298388d";

/**
 * Runs a program with one cluster named `prod` on mocks that answer as the providers do.
 *
 * @param isWhole the arguments are given as they are, not over good ones
 */
export async function runProgram(
    args: Partial<ExcloudK8sClusterArgs> = {},
    world: World = {},
    isWhole = false,
): Promise<Program> {
    const resources: Registered[] = [];
    const register = jest.spyOn(MockMonitor.prototype, "registerResource");
    try {
        await pulumi.runtime.setMocks(
            { newResource: (made) => answer(made, world), call: () => ({}) },
            "shop",
            "dev",
            false,
            "acme",
        );
        const cluster = new ExcloudK8sCluster(
            "prod",
            isWhole ? (args as ExcloudK8sClusterArgs) : { ...goodArgs, ...args },
        );
        const all = pulumi.all([
            cluster.kubeconfig,
            cluster.internalKubeconfig,
            cluster.certificateExpiry,
            cluster.dnsConfigured,
        ]);
        await new Promise((resolve) => all.apply(resolve));
        for (const [request] of register.mock.calls) {
            resources.push(registered(request as RegisterResourceRequest));
        }
        const of = (type: string) => resources.filter((resource) => resource.type === type);
        return {
            cluster,
            resources,
            of,
            one: (type, name) => {
                const [found, ...more] = of(type).filter((resource) => resource.name === name);
                if (found === undefined || more.length > 0) {
                    throw new Error(`there is not one ${type} ${name}`);
                }
                return found;
            },
        };
    } finally {
        // What it still registers would meet the mocks of the next program.
        await disconnect();
        register.mockRestore();
    }
}

/** The value of an output. */
export function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
    return new Promise((resolve) => output.apply((value) => resolve(value)));
}

/** The bytes of a secret that the program handed over, or undefined when it is plain. */
export function secretIn(value: unknown): string | undefined {
    return typeof value === "object" && value !== null && "secret" in value
        ? String(value.secret)
        : undefined;
}

function registered(request: RegisterResourceRequest): Registered {
    return {
        type: shortType(request.getType()),
        name: request.getName(),
        inputs: readable(request.getObject()?.toJavaScript() ?? {}) as Record<string, unknown>,
        deleteBeforeReplace: request.getDeletebeforereplace(),
        deletedWith: nameOf(request.getDeletedwith()),
        secretOutputs: request.getAdditionalsecretoutputsList(),
        waitsFor: request.getDependenciesList().map(nameOf).sort(),
    };
}

function shortType(token: string): string {
    return token.split(/[:/]/).at(-1) ?? "";
}

function nameOf(urn: string): string {
    const [, , type = "", name = ""] = urn.split("::");
    return urn === "" ? "" : `${shortType(type.split("$").at(-1) ?? "")} ${name}`;
}

function readable(value: unknown): unknown {
    if (Array.isArray(value)) {
        return value.map(readable);
    }
    if (typeof value !== "object" || value === null) {
        return value;
    }
    return secretSignature in value
        ? { secret: readable((value as unknown as { value: unknown }).value) }
        : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, readable(item)]));
}

/** Answers by type. Certificates are texts that say what they hold, so a changed name changes them. */
function answer(
    { type, name, inputs }: pulumi.runtime.MockResourceArgs,
    world: World,
): pulumi.runtime.MockResourceResult {
    const given = inputs as Record<string, unknown>;
    const slot = /cp-\d+/.exec(name)?.[0] ?? "";
    const states: Record<string, () => Record<string, unknown>> = {
        ClusterRegistration: () => ({
            clusterId: 42,
            clusterName: "exk8s-5-2a",
            orgId: 5,
            verifierMode: "selfHosted",
        }),
        NodeSlot: () => ({ slotSecret: pulumi.secret(`slot secret of ${slot}`) }),
        NodeAddress: () => ({
            privateIpv6: "",
            publicIpv4: "",
            ...(world.addresses?.[slot] ?? { privateIpv4: `10.0.0.${slot.slice(3)}` }),
        }),
        NodeBundle: () => ({ generation: `generation of ${slot}` }),
        DnsRecord: () => ({ dnsConfigured: world.isZoneOurs ?? true, reason: "" }),
        PrivateKey: () => ({
            privateKeyPem: pulumi.secret(`key ${name}`),
            publicKeyPem: `public key ${name}`,
        }),
        SelfSignedCert: () => ({ certPem: `certificate ${name}`, validityEndTime: "2036" }),
        CertRequest: () => ({
            certRequestPem: JSON.stringify([
                given["subject"],
                given["dnsNames"],
                given["ipAddresses"],
            ]),
        }),
        LocallySignedCert: () => ({
            certPem: `certificate ${name} ${String(given["certRequestPem"])}`,
            validityEndTime: `2027 ${name}`,
        }),
    };
    const short = shortType(type);
    const id =
        short === "VirtualMachine" ? `70${slot.slice(3)}` : short === "SecurityGroup" ? "9" : name;
    return { id, state: { ...given, ...states[short]?.() } };
}
