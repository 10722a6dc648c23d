import { phases, phaseStates } from "#contract/phases";

import type { Context } from "../context";
import { nodeState, nodeStates } from "../rules/node-state";
import { poolFigures } from "../store/database";

async function nodesByState({ db, clock, orgId }: Context) {
    const now = await clock(db);
    const nodes = await db
        .selectFrom("nodes")
        .innerJoin("clusters", "clusters.id", "nodes.kubecluster_id")
        .select(["nodes.vm_id", "nodes.booted", "nodes.healthy", "nodes.last_seen_at"])
        .select(["nodes.released_generation", "nodes.reported_generation"])
        .select((of) =>
            of
                .exists(
                    of
                        .selectFrom("bootstrap_reports")
                        .select("node_id")
                        .whereRef("node_id", "=", "nodes.id")
                        .where("state", "=", "failed"),
                )
                .as("hasFailed"),
        )
        .where("nodes.slot", "is not", null)
        .where("clusters.org_id", "=", orgId)
        .where("clusters.registration_key", "is not", null)
        .execute();
    const states = nodes.map((node) => nodeState(node, node.hasFailed === true, now));
    return nodeStates.map((state) => ({
        labels: { state },
        value: states.filter((one) => one === state).length,
    }));
}

async function reportsByPhase({ db, orgId }: Context) {
    const rows = await db
        .selectFrom("bootstrap_reports as report")
        .innerJoin("nodes", "nodes.id", "report.node_id")
        .innerJoin("clusters", "clusters.id", "nodes.kubecluster_id")
        .select(["report.phase", "report.state"])
        .select((of) => of.fn.countAll<number>().as("count"))
        .where("clusters.org_id", "=", orgId)
        .groupBy(["report.phase", "report.state"])
        .execute();
    return phases.flatMap((phase) =>
        phaseStates.map((state) => ({
            labels: { phase, state },
            value: Number(
                rows.find((row) => row.phase === phase && row.state === state)?.count ?? 0,
            ),
        })),
    );
}

async function clusterCount({ db, orgId }: Context) {
    const { count } = await db
        .selectFrom("clusters")
        .select((of) => of.fn.countAll<number>().as("count"))
        .where("org_id", "=", orgId)
        .where("registration_key", "is not", null)
        .executeTakeFirstOrThrow();
    return [{ labels: {}, value: Number(count) }];
}

/** Adds what is known of clusters and nodes, and of the database's connections, to the metrics. */
export function addGauges(context: Context): void {
    const { metrics, db } = context;
    const connections = () =>
        Object.entries<number>({ ...poolFigures(db) }).map(([state, value]) => ({
            labels: { state },
            value,
        }));
    metrics.gauge("bootstrap_clusters", "Registered clusters", [], () => clusterCount(context));
    metrics.gauge("bootstrap_nodes", "Nodes by state, as the page shows it", ["state"], () =>
        nodesByState(context),
    );
    metrics.gauge(
        "bootstrap_node_phases",
        "Nodes by phase and its last reported state",
        ["phase", "state"],
        () => reportsByPhase(context),
    );
    metrics.gauge(
        "bootstrap_database_connections",
        "Connections to PostgreSQL by what they do, and requests that wait for one",
        ["state"],
        () => Promise.resolve(connections()),
    );
}
