import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import {
    type ClusterSettings,
    clusterSettings,
    imageContents,
    renderBakeScript,
    renderBuilderUserData,
} from "../nodes";
import { ImageBuilder, ImageSlot, MachineImage, SecurityGroup } from "../provider";
import { type ControlPlaneImageArgs, validateImageArgs } from "./control-plane-image-args";
import { allOutwards, tcpFrom } from "./group-rules";
import { uniqueName } from "./unique-name";

/** In memory on the builder, so that the image does not hold it. */
const scriptPath = "/run/exk8s-bake/bake-control-plane-image.sh";

/**
 * A machine image that holds everything a control plane installs, so that nodes made of it download nothing.
 *
 * A builder VM is made, the bake script is copied to it and run, its disk becomes the image, and the VM is
 * terminated. Another version, or another script, means another image: the new one is made before the old
 * one goes, and a bake that fails leaves the old one as it was.
 *
 * @example
 * const image = new ControlPlaneImage("control-plane", {
 *     baseImageId: 1,
 *     instanceType: "t1a.medium",
 *     subnetId: 5,
 *     sshAllowedCidrs: ["203.0.113.7/32"],
 * });
 * export const controlPlaneImageId = image.imageId;
 */
export class ControlPlaneImage extends pulumi.ComponentResource {
    /** For a cluster's `controlPlaneImageId`. */
    readonly imageId: pulumi.Output<number>;
    /** The image's name in the cloud; it follows from what it holds. */
    readonly name: pulumi.Output<string>;
    /** Versions in the image by what they are of, and the digest of the bake script. */
    readonly contents: pulumi.Output<Record<string, string>>;
    /** The bake script, as it can be run by hand. */
    readonly script: pulumi.Output<string>;

    /** @throws InvalidArgumentsError listing every argument that cannot be used */
    constructor(
        name: string,
        args: ControlPlaneImageArgs,
        options?: pulumi.ComponentResourceOptions,
    ) {
        super("excloud-k8s:index:ControlPlaneImage", name, {}, options);
        args = validateImageArgs(name, args);
        const child = { parent: this };
        const { timeouts = {}, zoneId = 1, allocatePublicIpv4 = true } = args;
        const settings = settingsOf(args);
        this.script = settings.apply(renderBakeScript);
        this.contents = pulumi
            .all([settings, this.script])
            .apply(([given, script]) => ({ ...imageContents(given, script) }));
        this.name = this.contents.apply((contents) => uniqueName("image", name, contents));

        const loginKey = new tls.PrivateKey(name, { algorithm: "ED25519" }, child);
        const hostKey = new tls.PrivateKey(`${name}-host`, { algorithm: "ED25519" }, child);
        const deleteTimeout = timeouts.vmDelete ?? 300;
        const group = new SecurityGroup(
            name,
            {
                name: uniqueName("image", name),
                description: "Builder of a control-plane image",
                subnetId: args.subnetId,
                rules: { ...tcpFrom("ssh", 22, args.sshAllowedCidrs), ...allOutwards },
                timeouts: { delete: deleteTimeout },
            },
            child,
        );
        // After the group, so that what it finds at its end is off the group when that goes.
        const slot = new ImageSlot(
            name,
            { name: this.name, timeouts: { delete: deleteTimeout } },
            { ...child, dependsOn: group },
        );
        const builder = new ImageBuilder(
            name,
            {
                name: this.name,
                zoneId,
                projectId: 1,
                subnetId: args.subnetId,
                imageId: args.baseImageId,
                instanceType: args.instanceType,
                allocatePublicIpv4,
                securityGroupIds: pulumi.all([group.id.apply(Number)]),
                rootVolumeSizeGib: args.rootVolumeSizeGib ?? 20,
                userData: pulumi
                    .all([loginKey.publicKeyOpenssh, hostKey.privateKeyOpenssh])
                    .apply(([authorizedKey, hostKeyPem]) =>
                        renderBuilderUserData({
                            authorizedKey,
                            hostKeyPem,
                            lifetime: timeouts.builderLifetime ?? 7200,
                        }),
                    ),
                contents: this.contents,
                timeouts: { create: timeouts.vmCreate ?? 300, delete: deleteTimeout },
            },
            { ...child, dependsOn: slot },
        );
        const remote = {
            connection: {
                host: builder.host,
                user: "root",
                privateKey: loginKey.privateKeyOpenssh,
                hostKey: hostKey.publicKeyOpenssh,
                // A machine that runs takes a while until it lets anybody in.
                dialErrorLimit: 60,
            },
            triggers: [builder.id, this.contents],
        };
        const copied = new command.remote.CopyToRemote(
            name,
            {
                ...remote,
                source: this.script.apply((text) => new pulumi.asset.StringAsset(text)),
                remotePath: scriptPath,
            },
            { ...child, dependsOn: builder },
        );
        const baked = new command.remote.Command(
            name,
            { ...remote, create: `bash ${scriptPath}` },
            { ...child, dependsOn: copied },
        );
        const image = new MachineImage(
            name,
            {
                name: this.name,
                zoneId,
                builderVmId: builder.id,
                contents: this.contents,
                timeouts: { create: timeouts.image ?? 1800, delete: deleteTimeout },
            },
            { ...child, dependsOn: baked },
        );
        this.imageId = image.imageId;
        this.registerOutputs({ imageId: this.imageId, name: this.name, contents: this.contents });
    }
}

function settingsOf(args: ControlPlaneImageArgs): pulumi.Output<ClusterSettings> {
    const { podNetwork, mirrors } = args;
    return pulumi
        .all([args.kubernetesVersion, args.ciliumValues])
        .apply(([kubernetes, ciliumValues]) =>
            clusterSettings({
                ...(kubernetes ? { versions: { kubernetes } } : {}),
                ...(podNetwork ? { cni: podNetwork } : {}),
                ...(ciliumValues ? { ciliumValues } : {}),
                ...(mirrors ? { mirrors } : {}),
            }),
        );
}
