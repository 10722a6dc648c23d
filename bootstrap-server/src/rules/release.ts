import type { Peer } from "#contract/manifest";

import type { EtcdAnswer } from "./founding";

/** What a node may be served now, before its contents are read. */
export interface Release {
    generation: string;
    revision: string;
    peers: Peer[];
    /** How a control plane starts its etcd member. */
    etcd: Exclude<EtcdAnswer, { state: "wait" }> | undefined;
}
