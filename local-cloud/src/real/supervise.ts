import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import * as path from "node:path";

import type { SubnetRow } from "../state/model";
import { networkIndex } from "../state/networks";
import { type Claim, claim, deadClaims, release } from "./claims";
import { removeCgroups } from "./machine";
import { makeNetwork, realNetwork, removeNetwork } from "./network";
import { requireRealNodes } from "./requirements";

/**
 * Runs a cloud with real nodes: makes its network, runs a command in it until that ends, and removes
 * everything that is left of the nodes. What a cloud left that was killed is removed first.
 *
 * @param dir folder of the cloud
 * @param command gives the command, from the number of the network; it ends at SIGTERM
 * @returns the command's exit code
 * @throws Error when this machine cannot have real nodes
 */
export async function superviseRealCloud(
    dir: string,
    command: (network: number) => readonly [file: string, ...args: string[]],
): Promise<number> {
    requireRealNodes();
    for (const dead of deadClaims()) {
        await cleanUp(dead);
    }
    const mine = claim(dir, networkOf(dir));
    try {
        const network = realNetwork(mine.index);
        await makeNetwork(network);
        const child = spawn(
            "setpriv",
            [
                // The nodes die with the command, and the command with this process.
                ...["--pdeathsig", "TERM", "nsenter", `--net=/run/netns/${network.namespace}`],
                ...command(mine.index),
            ],
            { stdio: "inherit" },
        );
        const stop = () => child.kill("SIGTERM");
        for (const signal of ["SIGTERM", "SIGINT"] as const) {
            process.on(signal, stop);
        }
        const [code] = (await once(child, "exit")) as [number | null];
        return code ?? 1;
    } finally {
        await cleanUp(mine);
    }
}

/** Removes what a cloud that has ended left in the kernel: cgroups with their processes, and links. */
async function cleanUp(ended: Claim): Promise<void> {
    const nodes = path.join(ended.dir, "nodes");
    if (existsSync(nodes)) {
        for (const vm of readdirSync(nodes)) {
            await removeCgroups(path.join(nodes, vm, "cgroups"));
        }
    }
    await removeNetwork(realNetwork(ended.index));
    release(ended);
}

/** The number of the network that an existing cloud's subnets lie in. */
function networkOf(dir: string): number | undefined {
    const file = path.join(dir, "state", "subnets.json");
    if (!existsSync(file)) {
        return undefined;
    }
    const [first] = JSON.parse(readFileSync(file, "utf8")) as SubnetRow[];
    return first === undefined ? undefined : networkIndex(first.cidr_ipv4);
}
