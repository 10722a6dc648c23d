import type { operations, RequestOf, schemas } from "excloud-k8s/api";

import { userDataLimit } from "#contract/user-data";

import { conflict, invalid, notFound } from "../http/errors";
import { allocateAddress } from "../state/addresses";
import { instanceTypes, projectId } from "../state/catalog";
import type { ReservationRow, VmRow } from "../state/model";
import { publicNetwork } from "../state/networks";
import type { Stores } from "../state/stores";
import { checkZone } from "./catalog";
import type { Handlers } from "./handler";
import { requireGroup } from "./security-groups";

/** The root volume that is included in an instance type's price. */
const defaultRootVolumeGib = 25;

const gib = 1024 ** 3;

type CreateRequest = RequestOf<(typeof operations)["vmCreate"]>;

function requireVm(stores: Stores, id: number): VmRow {
    const vm = stores.vms.get(id);
    if (vm === undefined) {
        throw notFound("compute.instance", id);
    }
    return vm;
}

/** What every answer but that of a get holds. */
const summary = (vm: VmRow): schemas.Vm => ({
    vm_id: vm.vm_id,
    name: vm.name,
    state: vm.state,
    zone_id: vm.zone_id,
    project_id: vm.project_id,
    subnet_id: vm.subnet_id,
    instance_type: vm.instance_type,
    image_name: vm.image_name,
    public_ipv4: vm.public_ipv4,
    interface_ipv4: vm.interface.ipv4,
    interface_ipv6: null,
    root_volume_id: vm.root_volume_id,
    delete_protection: vm.delete_protection,
    created_at: vm.created_at,
});

const details = (vm: VmRow): schemas.Vm => ({
    ...summary(vm),
    interfaces:
        vm.state === "TERMINATED"
            ? []
            : [
                  {
                      id: vm.interface.id,
                      subnet_id: vm.subnet_id,
                      ipv4: vm.interface.ipv4,
                      ipv6: null,
                      public_ipv4: vm.public_ipv4,
                      security_group_ids: vm.interface.security_group_ids,
                  },
              ],
});

/** @throws ApiError for everything a VM cannot be created with */
function checkCreate(stores: Stores, request: CreateRequest): void {
    checkZone(request.zone_id);
    checkZone(request.root_volume?.zone_id);
    if (request.project_id !== projectId) {
        throw notFound("compute.project", request.project_id);
    }
    const subnet = stores.subnets.get(request.subnet_id);
    if (subnet === undefined) {
        throw notFound("compute.subnet", request.subnet_id);
    }
    if (!stores.images().some((image) => image.id === request.image_id)) {
        throw notFound("compute.image", request.image_id);
    }
    if (!instanceTypes.some((type) => type.name === request.instance_type)) {
        throw invalid(
            "compute.instance_type.unknown",
            `instance type "${request.instance_type}" does not exist`,
        );
    }
    if (request.allocate_public_ipv4 && subnet.disable_ipv4_public_ip) {
        throw invalid(
            "compute.subnet.public_ipv4_disabled",
            `subnet ${subnet.id} allows no public IPv4 addresses`,
        );
    }
    const groups = request.security_group_ids ?? [];
    if (new Set(groups).size !== groups.length) {
        throw invalid("compute.security_group.repeated", "a security group is named twice");
    }
    for (const group of groups) {
        requireGroup(stores, group);
    }
    if (Buffer.byteLength(request.user_data ?? "") > userDataLimit) {
        throw invalid(
            "compute.user_data.too_large",
            `user_data is larger than ${userDataLimit} bytes`,
        );
    }
}

const existingVms = (stores: Stores): VmRow[] =>
    stores.vms.list().filter((vm) => vm.state !== "TERMINATED");

function takePrivateAddress(stores: Stores, subnetId: number): string {
    const subnet = stores.subnets.get(subnetId);
    if (subnet === undefined) {
        throw notFound("compute.subnet", subnetId);
    }
    const used = new Set(existingVms(stores).map((vm) => vm.interface.ipv4));
    const address = allocateAddress(stores, subnet.cidr_ipv4, used);
    if (address === undefined) {
        throw conflict("compute.subnet.full", `subnet ${subnet.id} has no free address`);
    }
    return address;
}

function takePublicAddress(stores: Stores): string {
    const [first] = stores.subnets.list();
    if (first === undefined) {
        throw conflict("compute.public_ipv4.exhausted", "no public network");
    }
    const used = new Set([
        ...existingVms(stores).flatMap((vm) => vm.public_ipv4 ?? []),
        ...stores.reservations.list().map((reservation) => reservation.ip),
    ]);
    const address = allocateAddress(stores, publicNetwork(first.cidr_ipv4), used);
    if (address === undefined) {
        throw conflict("compute.public_ipv4.exhausted", "no public IPv4 address is free");
    }
    return address;
}

function takeReservation(stores: Stores, id: number): ReservationRow {
    const reservation = stores.reservations.get(id);
    if (reservation === undefined) {
        throw notFound("compute.public_ipv4_reservation", id);
    }
    if (reservation.vm_id !== null) {
        throw conflict(
            "compute.public_ipv4_reservation.in_use",
            `reservation ${id} is in use by VM ${reservation.vm_id}`,
        );
    }
    return reservation;
}

const reservationOf = (stores: Stores, vmId: number): ReservationRow | undefined =>
    stores.reservations.list().find((reservation) => reservation.vm_id === vmId);

/**
 * Frees what a VM held when it is TERMINATED: bindings, addresses, and the root volume, which is
 * deleted only when the caller asked for it.
 */
export function releaseVm(stores: Stores, vm: VmRow): void {
    stores.vms.put({
        ...vm,
        public_ipv4: null,
        interface: { ...vm.interface, security_group_ids: [] },
    });
    const reservation = reservationOf(stores, vm.vm_id);
    if (reservation !== undefined) {
        stores.reservations.put({ ...reservation, vm_id: null });
    }
    const volume = stores.volumes.get(vm.root_volume_id);
    if (volume === undefined) {
        return;
    }
    if (vm.delete_root_volume) {
        stores.volumes.delete(volume.id);
    } else {
        stores.volumes.put({ ...volume, state: "AVAILABLE", vm_id: null });
    }
}

type Names =
    | "vmCreate"
    | "vmList"
    | "vmGet"
    | "vmTerminate"
    | "vmStart"
    | "vmStop"
    | "vmRestart"
    | "vmRename";

export const vmHandlers: Handlers<Names> = {
    // Names are not unique: two creates give two VMs, which is why callers must look before they repeat.
    vmCreate: ({ stores, lifecycle }, request) => {
        checkCreate(stores, request);
        const reservation =
            request.public_ipv4_reservation_id === undefined
                ? undefined
                : takeReservation(stores, request.public_ipv4_reservation_id);
        const ipv4 = takePrivateAddress(stores, request.subnet_id);
        const publicIpv4 =
            reservation?.ip ?? (request.allocate_public_ipv4 ? takePublicAddress(stores) : null);
        const vmId = stores.next("vm", 101);
        const volume = stores.volumes.put({
            id: stores.next("volume"),
            name: `root-${vmId}`,
            zone_id: request.zone_id,
            size_bytes: (request.root_volume?.size_gib ?? defaultRootVolumeGib) * gib,
            state: "IN_USE",
            vm_id: vmId,
        });
        if (reservation !== undefined) {
            stores.reservations.put({ ...reservation, vm_id: vmId });
        }
        const vm: VmRow = {
            vm_id: vmId,
            name: request.name,
            state: "CREATING",
            zone_id: request.zone_id,
            project_id: request.project_id,
            subnet_id: request.subnet_id,
            instance_type: request.instance_type,
            image_id: request.image_id,
            image_name: stores.images().find((image) => image.id === request.image_id)?.name ?? "",
            root_volume_id: volume.id,
            delete_root_volume: false,
            delete_protection: false,
            created_at: new Date().toISOString(),
            user_data: request.user_data ?? null,
            allocate_public_ipv4: request.allocate_public_ipv4,
            public_ipv4: publicIpv4,
            interface: {
                id: stores.next("interface"),
                ipv4,
                security_group_ids: [...(request.security_group_ids ?? [])],
            },
        };
        return summary(lifecycle.enter(vm, "CREATING"));
    },

    vmList: ({ stores }, request) => {
        checkZone(request.zone_id);
        return existingVms(stores).map(summary);
    },

    vmGet: ({ stores }, request) => details(requireVm(stores, Number(request.vm_id))),

    vmTerminate: ({ stores, lifecycle }, request) => {
        const vm = requireVm(stores, request.vm_id);
        if (vm.state === "TERMINATING" || vm.state === "TERMINATED") {
            return summary(vm);
        }
        if (vm.delete_protection) {
            throw conflict(
                "compute.instance.delete_protected",
                `VM ${vm.vm_id} has delete protection on`,
            );
        }
        const deleteRootVolume = request.delete_root_volume ?? false;
        return summary(
            lifecycle.perform({ ...vm, delete_root_volume: deleteRootVolume }, "terminate"),
        );
    },

    vmStart: ({ stores, lifecycle }, request) => {
        const vm = requireVm(stores, request.vm_id);
        const started = lifecycle.perform(vm, "start");
        const publicIpv4 =
            reservationOf(stores, vm.vm_id)?.ip ??
            (vm.allocate_public_ipv4 ? takePublicAddress(stores) : null);
        return summary(stores.vms.put({ ...started, public_ipv4: publicIpv4 }));
    },

    vmStop: ({ stores, lifecycle }, request) => {
        const vm = requireVm(stores, request.vm_id);
        const stopped = lifecycle.perform(vm, "stop");
        if (request.reserve_public_ipv4 === true && vm.public_ipv4 !== null) {
            if (reservationOf(stores, vm.vm_id) === undefined) {
                stores.reservations.put({
                    id: stores.next("reservation"),
                    ip: vm.public_ipv4,
                    zone_id: vm.zone_id,
                    vm_id: vm.vm_id,
                });
            }
        }
        // An address that is not reserved is lost on stop.
        const kept = reservationOf(stores, vm.vm_id)?.ip ?? null;
        return summary(stores.vms.put({ ...stopped, public_ipv4: kept }));
    },

    vmRestart: ({ stores, lifecycle }, request) =>
        summary(lifecycle.perform(requireVm(stores, request.vm_id), "restart")),

    vmRename: ({ stores }, request) => {
        const vm = requireVm(stores, request.vm_id);
        if (request.name === undefined && request.delete_protection === undefined) {
            throw invalid("compute.instance.nothing_to_update", "at least one field is needed");
        }
        if (vm.state === "TERMINATED") {
            throw notFound("compute.instance", vm.vm_id);
        }
        return summary(
            stores.vms.put({
                ...vm,
                name: request.name ?? vm.name,
                delete_protection: request.delete_protection ?? vm.delete_protection,
            }),
        );
    },
};
