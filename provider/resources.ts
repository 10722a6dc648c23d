import * as pulumi from "@pulumi/pulumi";

import type { BootstrapServerReadinessInputs } from "./handlers/bootstrap-server-readiness";
import type { ClusterReadinessInputs } from "./handlers/cluster-readiness";
import type {
    ClusterRegistrationInputs,
    ClusterRegistrationOutputs,
} from "./handlers/cluster-registration";
import type { DnsRecordInputs, DnsRecordOutputs } from "./handlers/dns-record";
import type { ImageBuilderInputs, ImageBuilderOutputs } from "./handlers/image-builder";
import type { ImageSlotInputs } from "./handlers/image-slot";
import type { MachineImageInputs, MachineImageOutputs } from "./handlers/machine-image";
import type { NodeAddressInputs, NodeAddressOutputs } from "./handlers/node-address";
import type { NodeBundleInputs } from "./handlers/node-bundle";
import type { NodeSlotInputs, NodeSlotOutputs } from "./handlers/node-slot";
import type { RoleFilesInputs } from "./handlers/role-files";
import type { SecurityGroupInputs } from "./handlers/security-group";
import type { VirtualMachineInputs } from "./handlers/virtual-machine-inputs";

type AsInputs<T> = { [K in keyof T]: pulumi.Input<pulumi.Unwrap<T[K]>> | AsInputMap<T[K]> };
type AsInputMap<V> = V extends object ? { [K in keyof V]: pulumi.Input<V[K]> } : pulumi.Input<V>;

/**
 * The text that a state file keeps as a resource's provider. It names the code instead of holding it, so
 * the installed version runs, whatever version made the resource.
 */
export function providerText(type: string): string {
    return `exports.handler = () => require("excloud-k8s/provider/v1").${type};`;
}

/** A resource of the dynamic provider, registered as `pulumi-nodejs:dynamic/excloud-k8s:<type>`. */
abstract class ExcloudResource extends pulumi.CustomResource {
    protected constructor(
        type: string,
        name: string,
        inputs: object,
        outputs: readonly string[],
        options?: pulumi.CustomResourceOptions,
    ) {
        const undeclared = Object.fromEntries(outputs.map((output) => [output, undefined]));
        super(
            `pulumi-nodejs:dynamic/excloud-k8s:${type}`,
            name,
            { ...undeclared, ...inputs, __provider: providerText(type) },
            options,
        );
    }
}

/** Names that collide: the old thing must be gone before the new one is made, whoever asks for the replacement. */
function uniquelyNamed(options: pulumi.CustomResourceOptions = {}): pulumi.CustomResourceOptions {
    return { deleteBeforeReplace: true, ...options };
}

/** A preview shows the files themselves; their digests say nothing more. */
function showingFiles(options: pulumi.CustomResourceOptions = {}): pulumi.CustomResourceOptions {
    return { hideDiffs: ["manifest", "roleManifest"], ...options };
}

export class ClusterRegistration extends ExcloudResource {
    declare readonly clusterId: pulumi.Output<ClusterRegistrationOutputs["clusterId"]>;
    declare readonly clusterName: pulumi.Output<string>;
    declare readonly orgId: pulumi.Output<number>;
    declare readonly verifierMode: pulumi.Output<ClusterRegistrationOutputs["verifierMode"]>;

    constructor(
        name: string,
        inputs: AsInputs<ClusterRegistrationInputs>,
        options?: pulumi.CustomResourceOptions,
    ) {
        const outputs = ["clusterId", "clusterName", "orgId", "verifierMode"];
        super("ClusterRegistration", name, inputs, outputs, options);
    }
}

export class SecurityGroup extends ExcloudResource {
    constructor(
        name: string,
        inputs: AsInputs<SecurityGroupInputs>,
        options?: pulumi.CustomResourceOptions,
    ) {
        super("SecurityGroup", name, inputs, [], uniquelyNamed(options));
    }
}

export class RoleFiles extends ExcloudResource {
    /** Digest, mode and owner by path; known in previews. */
    declare readonly manifest: pulumi.Output<Record<string, string>>;

    constructor(
        name: string,
        inputs: AsInputs<RoleFilesInputs>,
        options?: pulumi.CustomResourceOptions,
    ) {
        super("RoleFiles", name, inputs, ["manifest"], showingFiles(options));
    }
}

export class NodeSlot extends ExcloudResource {
    declare readonly slotSecret: pulumi.Output<NodeSlotOutputs["slotSecret"]>;

    constructor(
        name: string,
        inputs: AsInputs<NodeSlotInputs>,
        options?: pulumi.CustomResourceOptions,
    ) {
        super("NodeSlot", name, inputs, ["slotSecret"], {
            additionalSecretOutputs: ["slotSecret"],
            ...options,
        });
    }
}

export class VirtualMachine extends ExcloudResource {
    constructor(
        name: string,
        inputs: AsInputs<VirtualMachineInputs>,
        options?: pulumi.CustomResourceOptions,
    ) {
        super("VirtualMachine", name, inputs, [], {
            additionalSecretOutputs: ["userData"],
            ...uniquelyNamed(options),
        });
    }
}

export class NodeAddress extends ExcloudResource {
    declare readonly privateIpv4: pulumi.Output<NodeAddressOutputs["privateIpv4"]>;
    declare readonly privateIpv6: pulumi.Output<NodeAddressOutputs["privateIpv6"]>;
    declare readonly publicIpv4: pulumi.Output<NodeAddressOutputs["publicIpv4"]>;

    constructor(
        name: string,
        inputs: AsInputs<NodeAddressInputs>,
        options?: pulumi.CustomResourceOptions,
    ) {
        super("NodeAddress", name, inputs, ["privateIpv4", "privateIpv6", "publicIpv4"], options);
    }
}

export class NodeBundle extends ExcloudResource {
    /** What the node is to report as applied. Derived from the manifest, known in previews. */
    declare readonly generation: pulumi.Output<string>;

    constructor(
        name: string,
        inputs: AsInputs<NodeBundleInputs>,
        options?: pulumi.CustomResourceOptions,
    ) {
        super("NodeBundle", name, inputs, ["generation"], showingFiles(options));
    }
}

export class DnsRecord extends ExcloudResource {
    declare readonly dnsConfigured: pulumi.Output<DnsRecordOutputs["dnsConfigured"]>;
    declare readonly reason: pulumi.Output<string>;

    constructor(
        name: string,
        inputs: AsInputs<DnsRecordInputs>,
        options?: pulumi.CustomResourceOptions,
    ) {
        super("DnsRecord", name, inputs, ["dnsConfigured", "reason"], uniquelyNamed(options));
    }
}

export class ClusterReadiness extends ExcloudResource {
    constructor(
        name: string,
        inputs: AsInputs<ClusterReadinessInputs>,
        options?: pulumi.CustomResourceOptions,
    ) {
        super("ClusterReadiness", name, inputs, [], options);
    }
}

export class BootstrapServerReadiness extends ExcloudResource {
    constructor(
        name: string,
        inputs: AsInputs<BootstrapServerReadinessInputs>,
        options?: pulumi.CustomResourceOptions,
    ) {
        super("BootstrapServerReadiness", name, inputs, [], options);
    }
}

/** The old one stays until the new one is there: a bake that fails leaves what there was. */
function keptUntilReplaced(
    options: pulumi.CustomResourceOptions = {},
): pulumi.CustomResourceOptions {
    return { deleteBeforeReplace: false, ...options };
}

export class ImageSlot extends ExcloudResource {
    constructor(
        name: string,
        inputs: AsInputs<ImageSlotInputs>,
        options?: pulumi.CustomResourceOptions,
    ) {
        super("ImageSlot", name, inputs, [], keptUntilReplaced(options));
    }
}

export class ImageBuilder extends ExcloudResource {
    declare readonly host: pulumi.Output<ImageBuilderOutputs["host"]>;

    constructor(
        name: string,
        inputs: AsInputs<ImageBuilderInputs>,
        options?: pulumi.CustomResourceOptions,
    ) {
        super("ImageBuilder", name, inputs, ["host"], {
            additionalSecretOutputs: ["userData"],
            ...keptUntilReplaced(options),
        });
    }
}

export class MachineImage extends ExcloudResource {
    declare readonly imageId: pulumi.Output<MachineImageOutputs["imageId"]>;

    constructor(
        name: string,
        inputs: AsInputs<MachineImageInputs>,
        options?: pulumi.CustomResourceOptions,
    ) {
        super("MachineImage", name, inputs, ["imageId"], keptUntilReplaced(options));
    }
}
