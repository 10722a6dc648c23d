import { LRUCache } from "lru-cache";

import type { Bundle } from "#contract/bundle";
import type { Change } from "#contract/schemas";

import type { Release } from "../rules/release";
import type { NodeRow } from "../store/schema";

/** Bytes of bundles that are kept: some 800 nodes of the usual size. */
const maxSize = 64 * 1024 * 1024;

/** Whose bundle it is. */
type Owner = Pick<NodeRow, "id" | "kubecluster_id">;

/**
 * Bundles as JSON, ready to be sent again. It decides nothing: who may have which is read from the
 * database at each request. The key names all that a bundle depends on, its generation by the digest
 * of every file, so an entry is never out of date. Agent tokens are in none of them.
 */
export class BundleCache {
    private readonly bundles = new LRUCache<string, Buffer>({
        maxSize,
        sizeCalculation: (json) => json.length,
    });

    /** The bundle of a release, with what is said of its change; undefined when it is not held. */
    get(node: Owner, release: Release, change: Change): Buffer | undefined {
        return this.bundles.get(keyOf(node, release, change));
    }

    /** Keeps a bundle, and returns it as JSON. */
    add(node: Owner, release: Release, bundle: Bundle): Buffer {
        const json = Buffer.from(JSON.stringify(bundle));
        this.bundles.set(keyOf(node, release, bundle), json);
        return json;
    }
}

function keyOf(node: Owner, { revision, etcd }: Release, change: Change): string {
    const { disturbs, tier, needs } = change;
    const rest = JSON.stringify([etcd, disturbs, tier, needs]);
    return `${node.kubecluster_id}/${node.id}/${revision}/${rest}`;
}
