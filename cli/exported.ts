import type { BootstrapServer } from "../provider/context";
import { CommandError, type Pulumi } from "./pulumi";

/** A resource as an exported state holds it. */
export interface StateResource {
    readonly urn: string;
    readonly type: string;
    readonly parent?: string;
    readonly outputs?: Readonly<Record<string, unknown>>;
}

/** An operation that a run had begun and has not ended. */
export interface Pending {
    readonly type: "creating" | "updating" | "deleting" | (string & {});
    readonly urn: string;
}

/** What an exported state says of the stack. */
export interface Exported {
    readonly resources: readonly StateResource[];
    readonly pending: readonly Pending[];
}

/** A certificate of a cluster, and its end of validity. */
export interface Certificate {
    readonly name: string;
    readonly notAfter: string;
}

/** A cluster as its stack knows it. */
export interface Cluster {
    readonly clusterId: number;
    readonly clusterName: string;
    readonly bootstrap: BootstrapServer;
    readonly certificates: readonly Certificate[];
}

/** Reads a stack's state, which the engine need not be able to decrypt. */
export async function exportedOf(pulumi: Pulumi): Promise<Exported> {
    return parseExported(await pulumi.read(["stack", "export", ...pulumi.stackFlags]));
}

/** Parses what `pulumi stack export` prints. */
export function parseExported(text: string): Exported {
    const { deployment } = JSON.parse(text) as {
        deployment?: {
            resources?: StateResource[] | null;
            pending_operations?: { type: string; resource: { urn: string } }[] | null;
        };
    };
    return {
        resources: deployment?.resources ?? [],
        pending: (deployment?.pending_operations ?? []).map(({ type, resource }) => ({
            type,
            urn: resource.urn,
        })),
    };
}

/**
 * The clusters of a stack.
 *
 * @throws CommandError when the state keeps the bootstrap server's address as a secret
 */
export function clustersIn({ resources }: Exported): Cluster[] {
    return resources
        .filter(({ type }) => type === "pulumi-nodejs:dynamic/excloud-k8s:ClusterRegistration")
        .map(({ urn, parent, outputs = {} }) => {
            const bootstrap = (outputs["bootstrap"] ?? {}) as Partial<BootstrapServer>;
            const { operatorUrl, caPem } = bootstrap;
            if (
                typeof operatorUrl !== "string" ||
                !["string", "undefined"].includes(typeof caPem)
            ) {
                throw new CommandError(
                    `the state keeps bootstrap of cluster ${nameIn(urn)} as a secret, which is not read. ` +
                        "Next: give bootstrap.operatorUrl and bootstrap.caPem, which are none, as plain values",
                );
            }
            return {
                clusterId: Number(outputs["clusterId"]),
                clusterName: String(outputs["clusterName"]),
                bootstrap: { operatorUrl, ...(caPem === undefined ? {} : { caPem }) },
                certificates: certificatesOf(parent, resources),
            };
        });
}

/** The certificates below a component; authorities that the user gave are not in the state. */
function certificatesOf(
    component: string | undefined,
    resources: readonly StateResource[],
): Certificate[] {
    const parents = new Map(resources.map(({ urn, parent }) => [urn, parent]));
    const isBelow = (urn: string | undefined): boolean =>
        urn !== undefined && (urn === component || isBelow(parents.get(urn)));
    return resources.flatMap(({ urn, outputs }) => {
        const notAfter = outputs?.["validityEndTime"];
        return typeof notAfter === "string" && isBelow(urn)
            ? [{ name: nameIn(urn), notAfter }]
            : [];
    });
}

/** The name of a resource: the end of its URN. */
export function nameIn(urn: string): string {
    return urn.split("::").at(-1) ?? "";
}
