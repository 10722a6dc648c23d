import * as path from "node:path";

import type { Bundle } from "#contract/bundle";

import { Store } from "../state/store";

/** One etcd member: a node's name at an address. Another VM of the same name is another member. */
interface Member {
    readonly name: string;
    readonly address: string;
}

/** The etcd of one cluster, as its simulated members see it together. */
interface EtcdCluster {
    readonly cluster_id: number;
    /** The set that founds it: every founder must start with exactly this one. */
    readonly founders: readonly Member[];
    /** Whether a majority of the founders has been up together. */
    readonly founded: boolean;
    readonly members: readonly Member[];
    /** Members that have data: they start again whatever their bundle says. */
    readonly started: readonly Member[];
}

const textOf = ({ name, address }: Member): string => `${name}=https://${address}:2380`;
const setText = (members: readonly Member[]): string => members.map(textOf).sort().join(",");
const majority = (size: number): number => Math.floor(size / 2) + 1;
const includes = (members: readonly Member[], member: Member): boolean =>
    members.some((other) => textOf(other) === textOf(member));

/** What came of starting a member. */
export type EtcdStart =
    | { readonly outcome: "running" }
    /** Not yet: what the member waits for. */
    | { readonly outcome: "waiting"; readonly reason: string }
    /** A real member would break the cluster or never come up. */
    | { readonly outcome: "broken"; readonly reason: string };

/**
 * The etcd clusters of all simulated nodes. No data is kept; what is followed is membership: who
 * founds, who joins, and whether a majority is up, which is where a wrong bundle does its harm.
 */
export class EtcdClusters {
    private readonly clusters: Store<EtcdCluster>;
    private readonly up = new Map<number, Map<string, Member>>();

    constructor(folder: string) {
        this.clusters = new Store(path.join(folder, "etcd-clusters.json"), (row) => row.cluster_id);
    }

    /** Starts the node's member, as `etcd` in its bundle tells it. */
    start(bundle: Bundle): EtcdStart {
        const own = ownMember(bundle);
        if (own === undefined || bundle.etcd === undefined) {
            return {
                outcome: "broken",
                reason: "the bundle does not say how this node's etcd starts",
            };
        }
        const known = this.clusters.get(bundle.cluster_id);
        if (known !== undefined && includes(known.members, own) && includes(known.started, own)) {
            return this.rise(known, own);
        }
        return bundle.etcd.state === "new"
            ? this.found(bundle, bundle.etcd.members, own)
            : this.join(known, own);
    }

    stop(bundle: Bundle): void {
        const own = ownMember(bundle);
        if (own !== undefined) {
            this.upOf(bundle.cluster_id).delete(textOf(own));
        }
    }

    /** The node's disk is deleted: its member can never start again with its data. */
    forget(bundle: Bundle): void {
        const own = ownMember(bundle);
        const known = this.clusters.get(bundle.cluster_id);
        if (own === undefined || known === undefined) {
            return;
        }
        const started = known.started.filter((member) => textOf(member) !== textOf(own));
        this.clusters.put({ ...known, started });
    }

    /** Whether a majority of the cluster's members is up. */
    hasQuorum(clusterId: number): boolean {
        const cluster = this.clusters.get(clusterId);
        return cluster !== undefined && this.alive(cluster) >= majority(cluster.members.length);
    }

    private found(bundle: Bundle, founders: readonly Member[], own: Member): EtcdStart {
        const known = this.clusters.get(bundle.cluster_id);
        // Where no member has data left, there is no etcd any more: this founds another one.
        if (known === undefined || (known.founded && known.started.length === 0)) {
            this.up.delete(bundle.cluster_id);
            return this.rise(newCluster(bundle, founders), own);
        }
        if (setText(known.founders) === setText(founders)) {
            return this.rise(known, own);
        }
        if (known.founded && !includes(known.founders, own)) {
            return {
                outcome: "broken",
                reason: `told to found etcd, but it was founded by ${setText(known.founders)}: this would be a second one`,
            };
        }
        // A founding whose majority is on other VMs can never reach quorum: a fresh set may found.
        const lost = known.founders.filter((member) => !includes(founders, member)).length;
        if (!known.founded && lost >= majority(known.founders.length)) {
            this.up.delete(bundle.cluster_id);
            return this.rise(newCluster(bundle, founders), own);
        }
        return {
            outcome: "broken",
            reason: `the initial set ${setText(founders)} differs from ${setText(known.founders)}, with which other nodes found etcd`,
        };
    }

    private join(known: EtcdCluster | undefined, own: Member): EtcdStart {
        if (known?.founded !== true) {
            return { outcome: "broken", reason: "told to join etcd, but it is not founded" };
        }
        if (!this.hasQuorum(known.cluster_id)) {
            return {
                outcome: "waiting",
                reason: `etcd has no quorum (${this.alive(known)} of ${known.members.length} members are up), so no member can be added`,
            };
        }
        // The joining node removes its dead namesake first.
        const members = [...known.members.filter((member) => member.name !== own.name), own];
        return this.rise({ ...known, members }, own);
    }

    private rise(cluster: EtcdCluster, own: Member): EtcdStart {
        this.upOf(cluster.cluster_id).set(textOf(own), own);
        const quorum = this.alive(cluster) >= majority(cluster.members.length);
        const started = includes(cluster.started, own)
            ? cluster.started
            : [...cluster.started, own];
        this.clusters.put({ ...cluster, started, founded: cluster.founded || quorum });
        return quorum
            ? { outcome: "running" }
            : {
                  outcome: "waiting",
                  reason: `etcd waits for quorum: ${this.alive(cluster)} of ${cluster.members.length} members are up`,
              };
    }

    private alive(cluster: EtcdCluster): number {
        const up = this.upOf(cluster.cluster_id);
        return cluster.members.filter((member) => up.has(textOf(member))).length;
    }

    private upOf(clusterId: number): Map<string, Member> {
        const members = this.up.get(clusterId) ?? new Map<string, Member>();
        this.up.set(clusterId, members);
        return members;
    }
}

const newCluster = (bundle: Bundle, founders: readonly Member[]): EtcdCluster => ({
    cluster_id: bundle.cluster_id,
    founders,
    founded: false,
    members: founders,
    started: [],
});

const controlPlanes = (bundle: Bundle): Member[] =>
    bundle.peers
        .filter((peer) => peer.role === "control-plane")
        .map(({ name, address }) => ({ name, address }));

const ownMember = (bundle: Bundle): Member | undefined =>
    controlPlanes(bundle).find((member) => member.name === bundle.node_name);
