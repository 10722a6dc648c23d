import type { VerifierMode } from "../../contract/verifier";
import type { Vm } from "../api/schemas";
import { briefly, deleteOrWarn } from "../bootstrap/delete-or-warn";
import { unlessGone } from "../calls/outcomes";
import type { BootstrapServer, Context } from "../context";
import { ApiError, messageOf } from "../errors";
import type { Handler } from "../handler";

export interface ClusterRegistrationInputs {
    bootstrap: BootstrapServer;
    /**
     * Who the registration belongs to when it is made: organisation/project/stack/name. The server registers
     * a key once. A renamed stack keeps its cluster.
     */
    key: string;
    /** Zone of the cluster's DNS name, in which an interrupted run may have left a record. */
    dnsZone?: string;
}

export interface ClusterRegistrationOutputs {
    clusterId: number;
    /** `exk8s-{org}-{id in hex}` */
    clusterName: string;
    orgId: number;
    /** How the server proves who a node is. */
    verifierMode: VerifierMode;
}

/**
 * A cluster's identity, drawn by the bootstrap server. Everything is named after it, so no input may
 * change it: an update would make its outputs, and with them the whole preview, unknown.
 */
export const clusterRegistration: Handler<ClusterRegistrationInputs, ClusterRegistrationOutputs> = {
    putsAtServer: true,
    changes: { bootstrap: "ignore", key: "ignore", dnsZone: "ignore" },

    async create({ bootstrap, key }, context) {
        const cluster = await context.bootstrap(bootstrap)("registerCluster", { key });
        return { id: String(cluster.cluster_id), outputs: outputsOf(cluster) };
    },

    async read(id, { bootstrap, clusterName }, context) {
        const cluster = await unlessGone(
            context.bootstrap(bootstrap)("getCluster", { cluster_id: id }),
        );
        if (cluster === undefined) {
            await requireNothingOf(clusterName, context);
            return undefined;
        }
        return { id, outputs: outputsOf(cluster) };
    },

    update: (id, { clusterId, clusterName, orgId, verifierMode }) =>
        Promise.resolve({ id, outputs: { clusterId, clusterName, orgId, verifierMode } }),

    async delete(id, { bootstrap, clusterName, dnsZone }, context) {
        await deleteLeftGroup(clusterName, context);
        if (dnsZone !== undefined) {
            await deleteLeftRecords(clusterName, dnsZone, context);
        }
        await deleteOrWarn(`cluster ${clusterName}`, context, () =>
            context.bootstrap(bootstrap, briefly)("deleteCluster", { cluster_id: id }),
        );
    },
};

/**
 * Everything is named after the registration: to drop it from the state while VMs live would be to give the
 * cluster up.
 *
 * @throws Error when there are VMs of the cluster's name
 */
async function requireNothingOf(clusterName: string, context: Context): Promise<void> {
    const isOurs = (vm: Vm) => vm.name.startsWith(`${clusterName}-`) && vm.state !== "TERMINATED";
    const left = (await context.excloud()("vmList", {})).filter(isOurs);
    if (left.length > 0) {
        throw new Error(
            `the bootstrap server does not know cluster ${clusterName}, whose VMs ` +
                `${left.map(({ name }) => name).join(", ")} are there. ` +
                "Next: check that it is the right server, with its data; " +
                "to give the cluster up, run `pulumi destroy`",
        );
    }
}

/**
 * A security group of the cluster's name that nothing uses was left by an interrupted creation that no
 * `up` followed: nothing else knows of it any more.
 */
async function deleteLeftGroup(clusterName: string, context: Context): Promise<void> {
    const call = context.excloud();
    const group = (await call("securityGroupList")).find(({ name }) => name === clusterName);
    if (group === undefined) {
        return;
    }
    const what = `security group ${clusterName} (${group.id}), which is not in the state,`;
    if ((await call("bindingList", { security_group_id: group.id })).length > 0) {
        context.log(`warning: ${what} is in use and stays. Next: delete it when it is not needed`);
        return;
    }
    context.log(`${what} was left by an interrupted run: deleted`);
    await unlessGone(call("securityGroupDelete", { security_group_id: group.id }));
}

/** Records of the cluster's name, left in the same way. As DNS never fails a cluster, this fails no destroy. */
async function deleteLeftRecords(
    clusterName: string,
    dnsZone: string,
    context: Context,
): Promise<void> {
    const call = context.excloud();
    try {
        const records = await call("recordList", { zone_name: dnsZone });
        for (const record of records.filter(({ name }) => name === clusterName)) {
            const { zone_name, type, name, value } = record;
            context.log(
                `DNS record ${name}.${zone_name} (${value}), which is not in the state, ` +
                    "was left by an interrupted run: deleted",
            );
            await unlessGone(call("recordDelete", { zone_name, type, name, value }));
        }
    } catch (error) {
        // In a zone that is not the organisation's there can be nothing.
        if (error instanceof ApiError && (error.isNotFound || error.status === 403)) {
            return;
        }
        context.log(
            `warning: ${clusterName}.${dnsZone} may have records left: ${messageOf(error)}`,
        );
    }
}

function outputsOf(cluster: {
    cluster_id: number;
    name: string;
    org_id: number;
    mode: VerifierMode;
}): ClusterRegistrationOutputs {
    return {
        clusterId: cluster.cluster_id,
        clusterName: cluster.name,
        orgId: cluster.org_id,
        verifierMode: cluster.mode,
    };
}
