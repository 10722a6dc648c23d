import { LRUCache } from "lru-cache";
import type { NodeRow } from "./rows";
import type { Release, ServedBundle } from "./served";

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

    /** The bundle of a release; undefined when it is not held. */
    get(node: Owner, release: Release): Buffer | undefined {
        return this.bundles.get(keyOf(node, release));
    }

    /** Keeps a bundle, and returns it as JSON. */
    add(node: Owner, release: Release, bundle: ServedBundle): Buffer {
        const json = Buffer.from(JSON.stringify(bundle));
        this.bundles.set(keyOf(node, release), json);
        return json;
    }
}

function keyOf(node: Owner, { revision, etcd }: Release): string {
    return `${node.kubecluster_id}/${node.id}/${revision}/${JSON.stringify(etcd)}`;
}
