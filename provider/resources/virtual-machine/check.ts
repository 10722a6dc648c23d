import { userDataLimit } from "../../../contract/user-data";
import { choicesOf } from "../../calls/list-choices";
import { unlessGone } from "../../calls/outcomes";
import { isGone } from "../../calls/vm-states";
import type { Context } from "../../context";
import { seenIn } from "../../errors";
import { type Failure, isUnknown } from "../../handler";
import { isLoopbackAddress, isLoopbackUrl, networksOverlap } from "../../network";
import { differences } from "./adopt";
import type { VirtualMachineInputs } from "./inputs";

const placement = ["zoneId", "subnetId", "imageId", "instanceType"] as const;
const fixed = ["name", ...placement, "allocatePublicIpv4", "rootVolumeSizeGib"] as const;
type Fixed = (typeof fixed)[number];

const words: Readonly<Record<Fixed, string>> = {
    name: "name",
    zoneId: "zone",
    subnetId: "subnet",
    imageId: "image",
    instanceType: "instance type",
    allocatePublicIpv4: "choice of a public address",
    rootVolumeSizeGib: "size of the root volume",
};

/**
 * Refuses a replacement that nobody asked for, and what the cloud would refuse, before anything is
 * changed.
 */
export async function checkVirtualMachine(
    given: VirtualMachineInputs,
    old: VirtualMachineInputs | undefined,
    context: Context,
): Promise<{ inputs: VirtualMachineInputs; failures: Failure[] }> {
    const inputs: VirtualMachineInputs = { ...given, state: "RUNNING" };
    const changed = old
        ? fixed.filter((name) => !isUnknown(inputs[name]) && inputs[name] !== old[name])
        : [];
    if (old !== undefined && changed.length > 0 && inputs.replacement === "defer") {
        const kept = Object.fromEntries(changed.map((name) => [name, old[name]]));
        return { inputs: { ...inputs, ...kept }, failures: [] };
    }
    if (old !== undefined && changed.length > 0 && inputs.replacement === "refuse") {
        return { inputs, failures: changed.map((name) => refusal(name, old, inputs)) };
    }
    const isNew = old === undefined || changed.length > 0;
    const failures = isNew ? await checkPlacement(inputs, context) : [];
    if (old !== undefined && old.replacement !== "allow" && inputs.replacement === "allow") {
        failures.push(...(await checkQuorum(inputs, context)));
        failures.push(...(await checkNamesakes(inputs, context)));
    }
    if (!isUnknown(inputs.userData) && Buffer.byteLength(inputs.userData) > userDataLimit) {
        failures.push({
            property: "userData",
            reason: `it has ${Buffer.byteLength(inputs.userData)} bytes, more than ${userDataLimit}`,
        });
    }
    return { inputs, failures };
}

/** A control plane may go only while all others are well: etcd would lose its quorum with it. */
async function checkQuorum(inputs: VirtualMachineInputs, context: Context): Promise<Failure[]> {
    const { bootstrap, clusterId, slot } = inputs;
    if (inputs.replaceWithoutQuorum || bootstrap === undefined || clusterId === undefined) {
        return [];
    }
    const others = await context
        .bootstrap(bootstrap)("getStatus", { cluster_id: clusterId })
        .then(({ nodes }) => nodes.filter((node) => node.slot !== slot && !node.healthy))
        .then((nodes) => nodes.map((node) => `${node.slot} is not healthy`))
        .catch((error: unknown) => [`the others' health is not known: ${seenIn(error)}`]);
    return others.length === 0
        ? []
        : [
              {
                  property: "replacement",
                  reason:
                      `${slot} cannot be replaced now, as ${others.join(", ")}: etcd could lose its quorum. ` +
                      "Next: mend that first; or set replaceWithoutQuorum: true to replace it all the same",
              },
          ];
}

/** A VM of somebody else that has the node's name would be taken for the new one. */
async function checkNamesakes(
    { name, zoneId, slot = name }: VirtualMachineInputs,
    context: Context,
): Promise<Failure[]> {
    const namesakes = (await context.excloud()("vmList", { zone_id: zoneId })).filter(
        (vm) => vm.name === name && !isGone(vm),
    );
    return namesakes.length < 2
        ? []
        : [
              {
                  property: "replacement",
                  reason:
                      `${slot} cannot be replaced now, as there are several VMs named ${name}: ` +
                      `${namesakes.map(({ vm_id }) => vm_id).join(", ")}. ` +
                      "Next: terminate or rename all but the cluster's own",
              },
          ];
}

function refusal(name: Fixed, old: VirtualMachineInputs, inputs: VirtualMachineInputs): Failure {
    const { slot } = inputs;
    const way =
        slot === undefined
            ? "delete it first, when you can do without what its disk holds"
            : `list the node, replaceNodes: ["${slot}"], one control plane per \`pulumi up\``;
    return {
        property: name,
        reason:
            `the ${words[name]} of ${slot ?? inputs.name} cannot change in place (${old[name]} to ${inputs[name]}). ` +
            `Next: ${way}; or set the former value again`,
    };
}

async function checkPlacement(inputs: VirtualMachineInputs, context: Context): Promise<Failure[]> {
    if (placement.some((name) => isUnknown(inputs[name]))) {
        return [];
    }
    const { failures, subnet, images } = await checkPlace(inputs, context);
    const fail = (property: string, reason: string) => failures.push({ property, reason });
    if (
        subnet !== undefined &&
        inputs.nodeUrl !== undefined &&
        isLoopbackUrl(inputs.nodeUrl) &&
        !isLoopbackAddress(subnet.cidr_ipv4)
    ) {
        fail(
            "nodeUrl",
            `${inputs.nodeUrl} is the VM itself when seen from a VM in ${subnet.cidr_ipv4}: ` +
                "set bootstrap.nodeUrl to an address that the nodes reach",
        );
    }
    for (const [name, cidr] of Object.entries(inputs.clusterNetworks ?? {})) {
        if (subnet !== undefined && !isUnknown(cidr) && networksOverlap(cidr, subnet.cidr_ipv4)) {
            fail(
                "clusterNetworks",
                `${name} ${cidr} overlaps subnet ${subnet.id} (${subnet.cidr_ipv4}): ` +
                    "choose networks that share no address",
            );
        }
    }
    if (inputs.adoptVmId !== undefined) {
        const vm = await unlessGone(context.excloud()("vmGet", { vm_id: inputs.adoptVmId }));
        const faults = vm ? differences(vm, images, inputs) : ["no such id"];
        if (faults.length > 0) {
            fail(
                "adoptVmId",
                `VM ${inputs.adoptVmId} cannot be ${inputs.slot ?? inputs.name}: ${faults.join("; ")}`,
            );
        }
    }
    return failures;
}

/** Where a VM is to be, and of what kind. */
export type Place = Pick<
    VirtualMachineInputs,
    "zoneId" | "subnetId" | "imageId" | "instanceType" | "allocatePublicIpv4"
>;

/** Whether the cloud has such a place for a VM, before it is asked for one. */
export async function checkPlace(inputs: Place, context: Context) {
    const call = context.excloud();
    const [subnets, images, types] = await Promise.all([
        call("subnetList", {}),
        call("imageList"),
        call("instanceTypeList"),
    ]);
    const failures: Failure[] = [];
    const fail = (property: string, reason: string) => failures.push({ property, reason });
    const subnet = subnets.find(({ id }) => id === inputs.subnetId);
    if (subnet === undefined) {
        fail("subnetId", `no subnet has this id. ${choicesOf(subnets)}`);
    } else if (subnet.zone_id !== inputs.zoneId) {
        fail("zoneId", `subnet ${subnet.id} lies in zone ${subnet.zone_id}`);
    } else if (subnet.disable_ipv4_public_ip && inputs.allocatePublicIpv4) {
        fail("allocatePublicIpv4", `subnet ${subnet.id} allows no public IPv4: set it to false`);
    }
    if (!images.some(({ id }) => id === inputs.imageId)) {
        fail("imageId", `no image has this id. ${choicesOf(images)}`);
    }
    if (!types.some(({ name }) => name === inputs.instanceType)) {
        fail("instanceType", `no such instance type. ${choicesOf(types.map(({ name }) => name))}`);
    }
    return { failures, subnet, images };
}
