import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { Service } from "./processes";
import { operatorKey, organisation } from "./vms";

/** A bootstrap server of the benchmark, in a process of its own. */
export interface Replica extends Service {
    caPem: string;
    /** Folder of its certificate and key. */
    tls: string;
}

/** What replicas share. */
export interface Shared {
    databaseUrl: string;
    cloudUrl: string;
    operatorToken: string;
    encryptionKey: string;
}

/** Draws the secrets that replicas share. */
export function newShared(databaseUrl: string, cloudUrl: string): Shared {
    return {
        databaseUrl,
        cloudUrl,
        operatorToken: randomBytes(32).toString("base64url"),
        encryptionKey: randomBytes(32).toString("base64"),
    };
}

const command = require.resolve("../../../bootstrap-server/dist/main.js");

/**
 * Starts a replica by the product's own command. `like` is one whose authority it takes; `profile` a
 * folder that a processor profile is written to when it ends.
 */
export async function startReplica(
    folder: string,
    shared: Shared,
    { like, profile }: { like?: Replica; profile?: string } = {},
): Promise<Replica> {
    mkdirSync(folder, { recursive: true });
    if (like) {
        cpSync(like.tls, join(folder, "tls"), { recursive: true });
    }
    const ready = join(folder, "ready.json");
    const flags = profile === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", profile];
    const listen = ["--listen", "127.0.0.1:0", "--data-dir", folder, "--ready-file", ready];
    const child = spawn(process.execPath, [...flags, command, "serve", ...listen], {
        env: {
            ...process.env,
            EXCLOUD_API_KEY: operatorKey,
            EXCLOUD_ORG_ID: String(organisation),
            EXCLOUD_IAM_BASE_URL: shared.cloudUrl,
            EXCLOUD_COMPUTE_BASE_URL: shared.cloudUrl,
            DATABASE_URL: shared.databaseUrl,
            EXCLOUD_BOOTSTRAP_TOKEN: shared.operatorToken,
            EXCLOUD_BOOTSTRAP_ENCRYPTION_KEYS: shared.encryptionKey,
            EXCLOUD_BOOTSTRAP_LOG_LEVEL: "info",
        },
        // Its log is written, as in production, and read by nobody.
        stdio: ["ignore", "ignore", "inherit"],
    });
    while (!existsSync(ready)) {
        if (child.exitCode !== null) {
            throw new Error(`the server ended with ${child.exitCode}`);
        }
        await sleep(100);
    }
    const { url, caFile } = JSON.parse(readFileSync(ready, "utf8")) as {
        url: string;
        caFile: string;
    };
    return {
        url,
        pid: child.pid as number,
        caPem: readFileSync(caFile, "utf8"),
        tls: join(folder, "tls"),
        async stop() {
            const ended = once(child, "exit");
            child.kill("SIGTERM");
            await ended;
        },
    };
}
