import type { SecurityGroupRule } from "../api/schemas";
import { createOnce } from "../calls/create-once";
import { choicesOf } from "../calls/list-choices";
import { passing, settlingSeconds, unlessGone } from "../calls/outcomes";
import type { Context } from "../context";
import { ApiError, messageOf, seenIn } from "../errors";
import { type Failure, type Handler, inputsOf, isUnknown, UnfinishedError } from "../handler";
import { type Rule, subnetCidr } from "./security-group-rules";

export interface SecurityGroupInputs {
    name: string;
    description: string;
    subnetId: number;
    /** Rules by name, so that a difference says which. */
    rules: Record<string, Rule>;
    /** Takes over the group of this id instead of making one; its name stays. */
    adoptSecurityGroupId?: number;
    /** Seconds to wait for the cloud to let go of the group after its last VM. */
    timeouts: { delete: number };
}

/** A security group and its rules. */
export const securityGroup: Handler<SecurityGroupInputs> = {
    changes: {
        name: "replace",
        description: "replace",
        subnetId: "ignore",
        rules: "update",
        adoptSecurityGroupId: "ignore",
        timeouts: "ignore",
    },

    async check(given, old, context) {
        const failures: Failure[] = [];
        const inputs = { ...given };
        if (old !== undefined) {
            // It is named after what never changes; an adopted group keeps the name it had.
            inputs.name = old.name;
            inputs.description = old.description;
        } else if (inputs.adoptSecurityGroupId !== undefined) {
            try {
                const { name, description } = await takeOver(inputs.adoptSecurityGroupId, context);
                inputs.name = name;
                inputs.description = description;
            } catch (error) {
                failures.push({ property: "adoptSecurityGroupId", reason: messageOf(error) });
            }
        }
        const rules = { ...inputs.rules };
        const ofSubnet = Object.entries(rules).filter(([, rule]) => rule.cidr === subnetCidr);
        // The range of a subnet does not change: a rule that was resolved spares later previews the call.
        const before = old?.subnetId === inputs.subnetId ? old.rules : {};
        if (ofSubnet.every(([name]) => name in before)) {
            for (const [name, rule] of ofSubnet) {
                rules[name] = { ...rule, cidr: before[name]?.cidr ?? rule.cidr };
            }
        } else if (!isUnknown(inputs.subnetId)) {
            const subnets = await context.excloud()("subnetList", {});
            const subnet = subnets.find(({ id }) => id === inputs.subnetId);
            if (subnet === undefined) {
                failures.push({
                    property: "subnetId",
                    reason: `no subnet has this id. ${choicesOf(subnets)}`,
                });
            } else {
                for (const [name, rule] of ofSubnet) {
                    rules[name] = { ...rule, cidr: subnet.cidr_ipv4 };
                }
            }
        }
        return { inputs: { ...inputs, rules }, failures };
    },

    async create(inputs, context) {
        const call = context.excloud();
        const { name, description, adoptSecurityGroupId } = inputs;
        const findLeftover = async () =>
            (await call("securityGroupList")).find((group) => group.name === name);
        const make = () => call("securityGroupCreate", { name, description });
        const group =
            adoptSecurityGroupId === undefined
                ? ((await findLeftover()) ?? (await createOnce(context, make, findLeftover)))
                : await takeOver(adoptSecurityGroupId, context);
        const existing = { id: String(group.id), outputs: {} };
        try {
            await converge(group.id, inputs.rules, context);
        } catch (error) {
            const reason = seenIn(error);
            throw new UnfinishedError(
                `security group ${name} (${group.id}) lacks rules: ${reason}. ` +
                    "Next: run `pulumi up` again to go on",
                existing,
            );
        }
        return existing;
    },

    async read(id, state, context) {
        const call = context.excloud();
        const group = await unlessGone(call("securityGroupGet", { security_group_id: id }));
        if (group === undefined) {
            return undefined;
        }
        const found = await call("ruleList", { security_group_id: group.id });
        const { name, description } = group;
        const rules = named(found, state.rules);
        return {
            id,
            inputs: { ...inputsOf(securityGroup, state), name, description, rules },
            outputs: {},
        };
    },

    async update(id, _state, inputs, context) {
        await converge(Number(id), inputs.rules, context);
        return { id, outputs: {} };
    },

    async delete(id, { name, timeouts }, context) {
        if (!(await context.poll(timeouts.delete, () => deleteGroup(Number(id), context)))) {
            throw new Error(
                `security group ${name} (${id}) is still bound to a VM after ${timeouts.delete} s. ` +
                    "Next: terminate or unbind that VM, then run the command again",
            );
        }
    },
};

async function deleteGroup(id: number, context: Context): Promise<true | undefined> {
    const call = context.excloud();
    try {
        await unlessGone(call("securityGroupDelete", { security_group_id: id }));
    } catch (error) {
        if (error instanceof ApiError && error.status === 409) {
            return undefined; // in use
        }
        throw error;
    }
    // One wrong answer would leave the group behind for good.
    const isThere = (await call("securityGroupList")).some((group) => group.id === id);
    return isThere ? undefined : true;
}

/**
 * The group that the user gives.
 *
 * @throws Error when there is none, or something else uses it
 */
async function takeOver(id: number, context: Context) {
    const call = context.excloud();
    const group = await unlessGone(call("securityGroupGet", { security_group_id: id }));
    if (group === undefined) {
        throw new Error(`no security group has the id ${id}`);
    }
    const [bound] = await call("bindingList", { security_group_id: id });
    if (bound !== undefined) {
        throw new Error(
            `security group ${id} (${group.name}) is used by interface ${bound.interface_id}. ` +
                "Next: give one that nothing uses, or name it in securityGroupIds to share it",
        );
    }
    return group;
}

/**
 * Makes the group's rules the wanted ones, and looks whether they are. Rules cannot be changed in the
 * cloud: missing ones are created, then superfluous ones deleted.
 */
async function converge(
    groupId: number,
    rules: Record<string, Rule>,
    context: Context,
): Promise<void> {
    const call = context.excloud();
    const wanted = Object.entries(rules);
    let trouble = "";
    const areThere = await context.poll(settlingSeconds, async () => {
        const existing = await call("ruleList", { security_group_id: groupId });
        const missing = wanted.filter(([, rule]) => !existing.some((found) => isSame(found, rule)));
        const superfluous = existing.filter(
            (found) => !wanted.some(([, rule]) => isSame(found, rule)),
        );
        for (const [name, rule] of missing) {
            const created = call("ruleCreate", {
                security_group_id: groupId,
                is_ingress: rule.direction === "ingress",
                protocol: rule.protocol as SecurityGroupRule["protocol"],
                port_range: rule.portRange,
                cidr: rule.cidr,
                description: name,
            });
            // The cloud holds an identical rule only once, so that the next look tells what became of it.
            await created.catch((error: unknown) => {
                trouble = `; ${seenIn(passing(error))}`;
            });
        }
        for (const { id } of superfluous) {
            await unlessGone(call("ruleDelete", { security_group_rule_id: id }));
        }
        return missing.length + superfluous.length === 0 ? true : undefined;
    });
    if (!areThere) {
        throw new Error(
            `security group ${groupId} still has other rules than the wanted ones after ` +
                `${settlingSeconds} s${trouble}. Next: run the command again`,
        );
    }
}

function isSame(found: SecurityGroupRule, rule: Rule): boolean {
    return (
        found.is_ingress === (rule.direction === "ingress") &&
        found.protocol === rule.protocol &&
        found.port_range === rule.portRange &&
        found.cidr === rule.cidr
    );
}

/** Gives found rules the names of those we know; what somebody else added is named after its id. */
function named(found: SecurityGroupRule[], known: Record<string, Rule>): Record<string, Rule> {
    return Object.fromEntries(
        found.map((rule) => [
            Object.keys(known).find((name) => isSame(rule, known[name] as Rule)) ??
                `unmanaged-${rule.id}`,
            {
                direction: rule.is_ingress ? "ingress" : "egress",
                protocol: rule.protocol,
                portRange: rule.port_range,
                cidr: rule.cidr,
            },
        ]),
    );
}
