import { mkdirSync } from "node:fs";
import * as path from "node:path";

import type { RealNodesOptions } from "../options";
import type { Stores } from "../state/stores";
import { type Mirror, startMirror } from "./mirror";
import { realNetwork } from "./network";
import { RealNodes, type RealNodesEvents } from "./nodes";
import { startResolver } from "./resolver";

/** Where the nodes of this cloud get what upstream would give them. */
export interface Mirrors {
    readonly binaries: string;
    readonly images: string;
    readonly charts: string;
}

/** Real nodes and what their network serves them. */
export interface StartedRealNodes {
    readonly driver: RealNodes;
    readonly mirrors: Mirrors;
    readonly mirror: Mirror;
    close(): Promise<void>;
}

/** The name at which the product's user data asks for its VM's identity. */
const metadataName = "imdsapi.excloud.in";

const ports = { files: 8080, registry: 5000 } as const;

/**
 * Starts the resolver and the mirrors of the nodes' network, and the driver of the nodes.
 *
 * @throws Error when this process is not in that network, or the artifacts are not complete
 */
export async function startRealNodes(
    { network: index, artifacts }: RealNodesOptions,
    dir: string,
    stores: Stores,
    events: RealNodesEvents,
): Promise<StartedRealNodes> {
    const network = realNetwork(index);
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const resolver = await startResolver(network.gateway, stores, {
        [metadataName]: network.metadata,
    });
    const mirror = await startMirror({
        artifacts,
        address: network.gateway,
        filesPort: ports.files,
        registryPort: ports.registry,
        dir,
        log: (line) => events.problem(line),
    }).catch(async (error: unknown) => {
        await resolver.close();
        throw error;
    });
    const settings = {
        dir,
        image: path.join(artifacts, "rootfs"),
        disk: path.join(artifacts, "disk.img"),
        network,
    };
    return {
        driver: new RealNodes(settings, stores.volumes, events),
        mirror,
        mirrors: {
            binaries: mirror.filesUrl,
            images: mirror.registryUrl,
            charts: `${mirror.filesUrl}/helm.cilium.io`,
        },
        async close() {
            await mirror.close();
            await resolver.close();
        },
    };
}
