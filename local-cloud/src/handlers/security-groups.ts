import { Address4, Address6 } from "ip-address";

import { conflict, invalid, notFound } from "../http/errors";
import type { GroupRow, RuleRow, VmRow } from "../state/model";
import type { Stores } from "../state/stores";
import type { Handlers } from "./handler";

/**
 * The group with this id.
 *
 * @throws ApiError 404
 */
export function requireGroup(stores: Stores, id: number): GroupRow {
    const group = stores.groups.get(id);
    if (group === undefined) {
        throw notFound("compute.security_group", id);
    }
    return group;
}

/** VMs whose interface exists: bindings only clear when a VM is TERMINATED. */
const vmsWithInterface = (stores: Stores): VmRow[] =>
    stores.vms.list().filter((vm) => vm.state !== "TERMINATED");

function requireInterface(stores: Stores, id: number): VmRow {
    const vm = vmsWithInterface(stores).find((candidate) => candidate.interface.id === id);
    if (vm === undefined) {
        throw notFound("compute.interface", id);
    }
    return vm;
}

function bind(stores: Stores, vm: VmRow, groups: number[]): void {
    stores.vms.put({ ...vm, interface: { ...vm.interface, security_group_ids: groups } });
}

function checkCidr(protocol: RuleRow["protocol"], cidr: string): void {
    const valid = protocol.endsWith("v6") ? Address6.isValid(cidr) : Address4.isValid(cidr);
    if (!valid || !cidr.includes("/")) {
        throw invalid(
            "compute.security_group_rule.invalid_cidr",
            `"${cidr}" is no CIDR of ${protocol}`,
        );
    }
}

function checkPorts(range: string): void {
    if (range === "ANY") {
        return;
    }
    for (const part of range.split(",")) {
        const [low = 0, high = low] = part.split("-").map(Number);
        if (low > high || high > 65535) {
            throw invalid(
                "compute.security_group_rule.invalid_port_range",
                `"${range}" is no port range`,
            );
        }
    }
}

const sameRule = (a: Omit<RuleRow, "id" | "description">, b: typeof a): boolean =>
    a.security_group_id === b.security_group_id &&
    a.is_ingress === b.is_ingress &&
    a.protocol === b.protocol &&
    a.port_range === b.port_range &&
    a.cidr === b.cidr;

type Names =
    | "securityGroupList"
    | "securityGroupGet"
    | "securityGroupCreate"
    | "securityGroupDelete"
    | "ruleList"
    | "ruleCreate"
    | "ruleDelete"
    | "bindingCreate"
    | "bindingList"
    | "bindingDelete";

export const securityGroupHandlers: Handlers<Names> = {
    securityGroupList: ({ stores }) => stores.groups.list(),

    securityGroupGet: ({ stores }, request) =>
        requireGroup(stores, Number(request.security_group_id)),

    securityGroupCreate: ({ stores }, request) => {
        if (stores.groups.list().some((group) => group.name === request.name)) {
            throw conflict(
                "compute.security_group.duplicate_name",
                `a security group named "${request.name}" exists`,
            );
        }
        return stores.groups.put({
            id: stores.next("security group"),
            name: request.name,
            description: request.description ?? "",
        });
    },

    securityGroupDelete: ({ stores }, request) => {
        const { id } = requireGroup(stores, request.security_group_id);
        const user = vmsWithInterface(stores).find((vm) =>
            vm.interface.security_group_ids.includes(id),
        );
        if (user !== undefined) {
            throw conflict(
                "compute.security_group.in_use",
                `security group ${id} is bound to interface ${user.interface.id} of VM ${user.vm_id} (${user.state})`,
            );
        }
        for (const rule of stores.rules.list()) {
            if (rule.security_group_id === id) {
                stores.rules.delete(rule.id);
            }
        }
        stores.groups.delete(id);
        return undefined;
    },

    ruleList: ({ stores }, request) => {
        const { id } = requireGroup(stores, request.security_group_id);
        return stores.rules.list().filter((rule) => rule.security_group_id === id);
    },

    ruleCreate: ({ stores }, request) => {
        requireGroup(stores, request.security_group_id);
        checkCidr(request.protocol, request.cidr);
        checkPorts(request.port_range);
        if (stores.rules.list().some((rule) => sameRule(rule, request))) {
            throw conflict("compute.security_group_rule.duplicate", "an identical rule exists");
        }
        return stores.rules.put({
            ...request,
            id: stores.next("security group rule"),
            description: request.description ?? "",
        });
    },

    ruleDelete: ({ stores }, request) => {
        const id = request.security_group_rule_id;
        if (stores.rules.get(id) === undefined) {
            throw notFound("compute.security_group_rule", id);
        }
        stores.rules.delete(id);
        return undefined;
    },

    bindingCreate: ({ stores }, request) => {
        const vm = requireInterface(stores, request.interface_id);
        requireGroup(stores, request.security_group_id);
        const groups = vm.interface.security_group_ids;
        if (!groups.includes(request.security_group_id)) {
            bind(stores, vm, [...groups, request.security_group_id]);
        }
        return undefined;
    },

    bindingList: ({ stores }, request) => {
        const { interface_id, security_group_id } = request;
        if (interface_id === undefined && security_group_id === undefined) {
            throw invalid(
                "compute.security_group_binding.target_missing",
                "interface_id or security_group_id is needed",
            );
        }
        if (interface_id !== undefined) {
            requireInterface(stores, interface_id);
        }
        if (security_group_id !== undefined) {
            requireGroup(stores, security_group_id);
        }
        return vmsWithInterface(stores)
            .flatMap((vm) =>
                vm.interface.security_group_ids.map((group) => ({
                    interface_id: vm.interface.id,
                    security_group_id: group,
                })),
            )
            .filter(
                (binding) =>
                    (interface_id === undefined || binding.interface_id === interface_id) &&
                    (security_group_id === undefined ||
                        binding.security_group_id === security_group_id),
            );
    },

    bindingDelete: ({ stores }, request) => {
        const vm = requireInterface(stores, request.interface_id);
        const groups = vm.interface.security_group_ids;
        if (!groups.includes(request.security_group_id)) {
            throw notFound("compute.security_group_binding", request.security_group_id);
        }
        bind(
            stores,
            vm,
            groups.filter((group) => group !== request.security_group_id),
        );
        return undefined;
    },
};
