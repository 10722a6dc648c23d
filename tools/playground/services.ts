import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { REPOSITORY } from "../engine/repository";
import { type Folder } from "./folder";

/** Where the services of a playground listen. Secrets stay in files. */
export interface Services {
    readonly computeUrl: string;
    readonly dnsUrl: string;
    readonly iamUrl: string;
    readonly bootstrapUrl: string;
    readonly bootstrapCaPem: string;
    /** What the provider needs to reach them. */
    readonly environment: Record<string, string>;
    /** What real nodes need; undefined when the nodes are simulated. */
    readonly real: RealNodesReady | undefined;
}

/** What the cloud says of its real nodes. */
export interface RealNodesReady {
    readonly network: {
        readonly namespace: string;
        readonly gateway: string;
        readonly machine: string;
    };
    readonly mirrors: Record<string, string>;
    /** Arguments that a cluster on these nodes needs. */
    readonly clusterArguments: Record<string, unknown>;
}

/** Ports that a playground keeps from one day to the next, so that its stack's configuration stays true. */
export interface Ports {
    /** First of the cloud's four. */
    readonly cloud?: number;
    readonly server: number;
}

interface CloudReady extends Partial<RealNodesReady> {
    computeUrl: string;
    dnsUrl: string;
    iamUrl: string;
    apiKeyFile: string;
    pid: number;
}
interface ServerReady {
    url: string;
    caFile: string;
    tokenFile: string;
    pid: number;
}

const startTimeoutMs = 60_000;

/** Where the programs of the services are, which Node.js runs. */
export interface Programs {
    readonly cloud: string;
    readonly server: string;
}

const programsHere: Programs = {
    cloud: join(REPOSITORY, "local-cloud/dist/main.js"),
    server: join(REPOSITORY, "bootstrap-server/dist/main.js"),
};

/**
 * Starts the local cloud and the bootstrap server in the background, unless they run already.
 *
 * @param artifacts makes the nodes real
 */
export async function startServices(
    folder: Folder,
    ports: Ports,
    artifacts: string | undefined,
    given: Partial<Programs> = {},
): Promise<Services> {
    const programs = { ...programsHere, ...given };
    const cloud = await start<CloudReady>(folder, "cloud", {
        main: programs.cloud,
        args: [
            ...["serve", "--dir", folder.cloud, "--ready-file", folder.readyFile("cloud")],
            ...(ports.cloud === undefined ? [] : ["--port", String(ports.cloud)]),
            ...(artifacts === undefined ? [] : ["--artifacts", artifacts]),
        ],
        environment: {},
    });
    const real = realNodesOf(cloud);
    const apis = {
        EXCLOUD_COMPUTE_BASE_URL: cloud.computeUrl,
        EXCLOUD_DNS_BASE_URL: cloud.dnsUrl,
        EXCLOUD_IAM_BASE_URL: cloud.iamUrl,
        EXCLOUD_API_KEY: readFileSync(cloud.apiKeyFile, "utf8").trim(),
    };
    const server = await start<ServerReady>(folder, "server", {
        main: programs.server,
        args: [
            ...["serve", "--listen", `${real?.network.gateway ?? "127.0.0.1"}:${ports.server}`],
            ...["--data-dir", folder.server, "--ready-file", folder.readyFile("server")],
        ],
        environment: apis,
        // Real nodes reach it at the gateway of their network.
        ...(real === undefined ? {} : { networkNamespace: real.network.namespace }),
    });
    return {
        computeUrl: cloud.computeUrl,
        dnsUrl: cloud.dnsUrl,
        iamUrl: cloud.iamUrl,
        bootstrapUrl: server.url,
        bootstrapCaPem: readFileSync(server.caFile, "utf8"),
        environment: {
            ...apis,
            EXCLOUD_BOOTSTRAP_TOKEN: readFileSync(server.tokenFile, "utf8").trim(),
        },
        real,
    };
}

function realNodesOf({
    network,
    mirrors,
    clusterArguments,
}: CloudReady): RealNodesReady | undefined {
    return network && mirrors && clusterArguments
        ? { network, mirrors, clusterArguments }
        : undefined;
}

/** Ends the services of a playground, and waits until they have ended. */
export async function stopServices(folder: Folder): Promise<void> {
    for (const service of ["server", "cloud"]) {
        const ready = readReady(folder, service);
        if (ready !== undefined) {
            process.kill(ready.pid, "SIGTERM");
            while (isAlive(ready.pid)) {
                await sleep(50);
            }
            rmSync(folder.readyFile(service), { force: true });
        }
    }
}

async function start<T extends { pid: number }>(
    folder: Folder,
    service: string,
    command: {
        main: string;
        args: string[];
        environment: Record<string, string>;
        networkNamespace?: string;
    },
): Promise<T> {
    const running = readReady(folder, service);
    if (running !== undefined) {
        return running as T;
    }
    rmSync(folder.readyFile(service), { force: true });
    const log = openSync(folder.logFile(service), "a", 0o600);
    const [file = "", ...args] = [
        ...(command.networkNamespace === undefined
            ? []
            : ["nsenter", `--net=/run/netns/${command.networkNamespace}`]),
        process.execPath,
        command.main,
        ...command.args,
    ];
    const child = spawn(file, args, {
        env: { ...process.env, ...command.environment },
        stdio: ["ignore", log, log],
        detached: true,
    });
    child.unref();
    for (const deadline = Date.now() + startTimeoutMs; Date.now() < deadline; await sleep(50)) {
        const ready = readReady(folder, service);
        if (ready !== undefined) {
            return ready as T;
        }
        if (child.exitCode !== null) {
            break;
        }
    }
    const tail = readFileSync(folder.logFile(service), "utf8").split("\n").slice(-15).join("\n");
    throw new Error(
        `the ${service} did not start. Next: when a port is taken, end the other playground with ` +
            `\`npm start -- destroy\` in its clone. The end of ${folder.logFile(service)}:\n${tail}`,
    );
}

/** What a service said when it was ready; undefined unless that process lives. */
function readReady(folder: Folder, service: string): { pid: number } | undefined {
    const file = folder.readyFile(service);
    if (!existsSync(file)) {
        return undefined;
    }
    const ready = JSON.parse(readFileSync(file, "utf8")) as { pid: number };
    return isAlive(ready.pid) ? ready : undefined;
}

function isAlive(pid: number): boolean {
    try {
        process.kill(pid, 0);
        return true;
    } catch {
        return false;
    }
}
