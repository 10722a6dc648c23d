import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import { sha256 } from "../contract/manifest";
import { bootstrapServerPort, renderBootstrapServerUserData } from "../nodes";
import {
    BootstrapServerReadiness,
    find,
    NodeAddress,
    SecurityGroup,
    subnetCidr,
    VirtualMachine,
} from "../provider";
import type { BootstrapArgs } from "./cluster-args";
import {
    type ExcloudBootstrapServerArgs,
    validateServerArgs,
} from "./excloud-bootstrap-server-args";
import { allOutwards, tcp, tcpFrom } from "./group-rules";
import { packageVersion } from "./package-version";
import { uniqueName } from "./unique-name";

const hoursPerYear = 365 * 24;

/**
 * A bootstrap server on a VM of Excloud, in a stack of its own: clusters come and go, and are updated and
 * destroyed with its help.
 *
 * It is there when it answers: a cluster in the same program that uses `connection` is made after that.
 *
 * Its data lies on the VM's disk, so the VM is never replaced by a change of its arguments.
 *
 * @example
 * const server = new ExcloudBootstrapServer("bootstrap", {
 *     imageId: 1,
 *     instanceType: "t1a.small",
 *     subnetId: 5,
 *     apiKey: config.requireSecret("serverApiKey"),
 *     npmRegistry: config.require("npmRegistry"),
 *     allowedCidrs: ["203.0.113.7/32"],
 * });
 * export const connection = server.connection; // a cluster's `bootstrap`
 * export const operatorToken = server.operatorToken; // EXCLOUD_BOOTSTRAP_TOKEN of whoever runs a cluster's program
 */
export class ExcloudBootstrapServer extends pulumi.ComponentResource {
    /** For a cluster's `bootstrap`. */
    readonly connection: Required<BootstrapArgs>;
    /** URL at which whoever runs Pulumi reaches the server. */
    readonly url: pulumi.Output<string>;
    /** Authority of the server's certificate. */
    readonly caPem: pulumi.Output<string>;
    /** Secret. What operators prove themselves with, `EXCLOUD_BOOTSTRAP_TOKEN`. */
    readonly operatorToken: pulumi.Output<string>;

    /** @throws InvalidArgumentsError listing every argument that cannot be used */
    constructor(
        name: string,
        args: ExcloudBootstrapServerArgs,
        options?: pulumi.ComponentResourceOptions,
    ) {
        super("excloud-k8s:index:ExcloudBootstrapServer", name, {}, options);
        args = validateServerArgs(name, args);
        const child = { parent: this };
        const timeouts = {
            create: args.timeouts?.vmCreate ?? 300,
            delete: args.timeouts?.vmDelete ?? 300,
        };
        const { allocatePublicIpv4 = true, host = "" } = args;

        const authority = authorityOf(name, child);
        this.caPem = authority.caPem;
        this.operatorToken = tokenOf(name, child);
        const vmName = uniqueName("bootstrap", name);
        const group = new SecurityGroup(
            name,
            {
                name: vmName,
                description: "Bootstrap server of Kubernetes clusters",
                subnetId: args.subnetId,
                rules: {
                    ...tcpFrom("server", bootstrapServerPort, args.allowedCidrs ?? []),
                    "server from the subnet": tcp(bootstrapServerPort, subnetCidr),
                    ...allOutwards,
                },
                timeouts: { delete: timeouts.delete },
            },
            child,
        );
        const vm = new VirtualMachine(
            name,
            {
                name: vmName,
                zoneId: args.zoneId ?? 1,
                projectId: 1,
                subnetId: args.subnetId,
                imageId: args.imageId,
                instanceType: args.instanceType,
                allocatePublicIpv4,
                securityGroupIds: pulumi.all([group.id.apply(Number)]),
                sshPubkey: args.sshPubkey ?? "",
                rootVolumeSizeGib: args.rootVolumeSizeGib ?? 20,
                userData: pulumi
                    .all([
                        pulumi.secret(args.apiKey),
                        this.operatorToken,
                        authority.caPem,
                        authority.caKeyPem,
                    ])
                    .apply(([apiKey, operatorToken, caPem, caKeyPem]) =>
                        renderBootstrapServerUserData({
                            version: args.version ?? packageVersion,
                            caPem,
                            caKeyPem,
                            operatorToken,
                            apiKey,
                            host,
                            registry: args.npmRegistry,
                            ...cloudUrls(),
                        }),
                    ),
                replacement: "refuse",
                timeouts,
            },
            child,
        );
        const address = new NodeAddress(name, { vmId: vm.id }, child);
        const urlAt = (place: string) => `https://${host || place}:${bootstrapServerPort}`;
        const operatorUrl = pulumi
            .all([address.publicIpv4, address.privateIpv4])
            .apply(([outside, inside]) => urlAt(outside || inside));
        const readiness = new BootstrapServerReadiness(
            name,
            {
                bootstrap: { operatorUrl, caPem: this.caPem },
                vmId: vm.id,
                timeout: args.timeouts?.ready ?? 900,
            },
            child,
        );
        // Whatever is made with a URL is made after the server answers. The id stays known in previews.
        const onceReady = (url: pulumi.Output<string>) =>
            pulumi.all([url, readiness.id]).apply(([known]) => known);
        this.url = onceReady(operatorUrl);
        this.connection = {
            operatorUrl: this.url,
            nodeUrl: onceReady(address.privateIpv4.apply(urlAt)),
            caPem: this.caPem,
        };
        this.registerOutputs({ url: this.url, caPem: this.caPem, connection: this.connection });
    }
}

/** The authority that nodes and programs pin. RSA, as the server's own certificates are. */
function authorityOf(name: string, child: pulumi.CustomResourceOptions) {
    const key = new tls.PrivateKey(`${name}-ca`, { algorithm: "RSA", rsaBits: 3072 }, child);
    const certificate = new tls.SelfSignedCert(
        `${name}-ca`,
        {
            privateKeyPem: key.privateKeyPem,
            isCaCertificate: true,
            setSubjectKeyId: true,
            validityPeriodHours: 10 * hoursPerYear,
            allowedUses: ["cert_signing", "crl_signing"],
            subject: { commonName: "excloud-k8s-bootstrap CA" },
        },
        child,
    );
    return { caPem: certificate.certPem, caKeyPem: key.privateKeyPem };
}

/** A random text that only the state knows: a key nobody uses as such, as no plugin for it is needed then. */
function tokenOf(name: string, child: pulumi.CustomResourceOptions): pulumi.Output<string> {
    const key = new tls.PrivateKey(`${name}-operator-token`, { algorithm: "ED25519" }, child);
    return pulumi.secret(key.privateKeyPem.apply((pem) => sha256(`operator token\n${pem}`)));
}

/** The services that the server asks are those that this program talks to. */
function cloudUrls(): { computeBaseUrl: string; iamBaseUrl: string } {
    const config = (key: string) => {
        const [project, name] = key.split(":") as [string, string];
        return new pulumi.Config(project).get(name);
    };
    return {
        computeBaseUrl: find("computeBaseUrl", config) ?? "",
        iamBaseUrl: find("iamBaseUrl", config) ?? "",
    };
}
