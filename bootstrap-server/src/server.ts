import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { firstContactPrefix } from "#contract/agent";

import { createApp, type LogTarget } from "./app";
import { listenOnControlSocket } from "./control/socket";
import { dataPaths, keptEncryptionKeys } from "./data-dir";
import { messageOf, StartupError } from "./errors";
import { type Excloud, excloudClient } from "./excloud";
import { Metrics } from "./metrics";
import type { BootstrapServerOptions } from "./options";
import { pageRoutes } from "./page/routes";
import { localRoutes } from "./routes/local";
import { metricsRoute, readyRoute } from "./routes/monitor";
import { agentBundleRoute, agentRoutes, firstContactRoutes } from "./routes/node";
import { operatorRoutes } from "./routes/operator";
import type { App } from "./routes/types";
import { BundleCache } from "./service/bundle-cache";
import { addGauges } from "./service/figures";
import { firstOperatorToken } from "./service/operator-tokens";
import { type Clock, databaseClock } from "./store/clock";
import { checkCloudTables } from "./store/cloud-tables";
import { registerKeys } from "./store/contents";
import { openDatabase } from "./store/database";
import { Keyring } from "./store/keyring";
import { reachabilityOf } from "./store/reachable";
import type { Db } from "./store/schema";
import { ensureTls } from "./tls";
import { excloudVerifier } from "./verify/excloud-mode";
import { type OperatorVerifier, staticOperator } from "./verify/operator";
import { jwtOperator } from "./verify/operator-jwt";
import { tokensOperator } from "./verify/operator-tokens";
import { selfHostedVerifier } from "./verify/self-hosted";

/** A running server, with what its own process may reach. */
export interface RunningServer {
    /** `https://host:port`. */
    url: string;
    /** The authority to pin. */
    caPem: string;
    caFile: string;
    /** An operator's token; undefined when the server knows none in clear. */
    operatorToken: string | undefined;
    /** The file that holds it; undefined when it was given. */
    tokenFile: string | undefined;
    db: Db;
    /** Resolves with the reason when the server can serve nothing any more: its process is to end, and start again. */
    lost: Promise<Error>;
    /** Answers 418 on /health for `graceMs`, then finishes what is in flight and ends. */
    close(graceMs?: number): Promise<void>;
}

async function findOrgId(options: BootstrapServerOptions, excloud: Excloud): Promise<number> {
    if (options.excloud.orgId !== undefined) {
        return options.excloud.orgId;
    }
    const asked = `IAM at ${options.excloud.iamBaseUrl}`;
    const principal = await excloud.me(options.excloud.apiKey).catch((error: unknown) => {
        throw new StartupError(
            `${asked} did not tell the organisation of EXCLOUD_API_KEY (${messageOf(error)}): set EXCLOUD_ORG_ID, or try again`,
        );
    });
    if (!principal) {
        throw new StartupError(`${asked} refused EXCLOUD_API_KEY: give the server a valid key`);
    }
    return principal.orgId;
}

/** Who operates this server: the verifier, the token that this process knows in clear, its file. */
async function operatorAccess(
    options: BootstrapServerOptions,
    db: Db,
    clock: Clock,
): Promise<{ operators: OperatorVerifier; operatorToken?: string; tokenFile?: string }> {
    const { operatorAuth = { mode: "tokens" }, operatorToken: given, dataDir } = options;
    switch (operatorAuth.mode) {
        case "tokens": {
            const token = await firstOperatorToken({ db, clock }, dataDir, given);
            const kept = token !== undefined && given === undefined;
            return {
                operators: tokensOperator(db, clock),
                ...(token === undefined ? {} : { operatorToken: token }),
                ...(kept ? { tokenFile: dataPaths(dataDir).operatorToken } : {}),
            };
        }
        case "jwt":
            return { operators: jwtOperator(operatorAuth) };
        case "static": {
            const { token } = operatorAuth;
            return { operators: staticOperator(token), operatorToken: token };
        }
    }
}

function urlOf(host: string, address: AddressInfo): string {
    const anyHost = host === "0.0.0.0" || host === "::";
    const name = anyHost ? "localhost" : host.includes(":") ? `[${host}]` : host;
    return `https://${name}:${address.port}`;
}

async function startListening(app: App, listen: { host: string; port: number }): Promise<void> {
    try {
        await app.listen(listen);
    } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        throw new StartupError(
            code === "EADDRINUSE"
                ? `port ${listen.port} of ${listen.host} is taken: stop the server that listens there, or choose another port with --listen HOST:PORT`
                : `cannot listen on port ${listen.port} of ${listen.host}: ${messageOf(error)}`,
        );
    }
}

/**
 * Starts the server: TLS files, store, migrations, organisation, routes, in that order.
 * `clock` is the database's and the log goes to standard output; tests give others.
 * Throws StartupError with what to do when one of them cannot be had; nothing stays open then.
 */
export async function startServer(
    options: BootstrapServerOptions,
    clock: Clock = databaseClock,
    logTo?: LogTarget,
): Promise<RunningServer> {
    const { dataDir, mode = "selfHosted", logLevel = "info" } = options;
    const listen = options.listen ?? { host: "127.0.0.1", port: 8443 };
    const paths = dataPaths(dataDir);
    const hosts = [listen.host, ...(options.extraHosts ?? [])];
    const named = hosts.filter((host) => host !== "0.0.0.0" && host !== "::");
    const tls = await ensureTls(dataDir, named, new Date());
    const keyring = new Keyring(options.encryptionKeys ?? (await keptEncryptionKeys(dataDir)));
    const excloud = excloudClient(options.excloud);
    const orgId = await findOrgId(options, excloud);
    const { databaseUrl } = options;
    let onLost: (why: Error) => void = () => undefined;
    const lost = new Promise<Error>((resolve) => (onLost = resolve));
    const db = await openDatabase({ databaseUrl, folder: paths.database, onLost });

    let draining = false;
    const isDraining = () => draining;
    const metrics = new Metrics();
    const started: (() => Promise<void>)[] = [() => db.destroy()];
    /** Ends what was started, the last first. */
    const end = async (): Promise<void> => {
        for (const one of started.splice(0).reverse()) {
            await one();
        }
    };
    try {
        await registerKeys(db, keyring);
        if (mode === "excloud") {
            await checkCloudTables(db);
        }
        const app = await createApp({
            tls,
            trustedProxies: options.trustedProxies ?? [],
            logLevel,
            logTo,
            isDraining,
        });
        metrics.observe(app);
        readyRoute(app, { isDraining, isReachable: reachabilityOf(db) });
        started.push(() => app.close());
        const verifier =
            mode === "excloud" ? excloudVerifier(db, clock, excloud) : selfHostedVerifier(excloud);
        const { operators, operatorToken, tokenFile } = await operatorAccess(options, db, clock);
        const bundles = new BundleCache();
        const { log } = app;
        const context = {
            db,
            keyring,
            clock,
            orgId,
            mode,
            verifier,
            operators,
            bundles,
            metrics,
            log,
        };
        await app.register(
            (scope) => firstContactRoutes(scope as typeof app, context, options.firstContactLimits),
            { prefix: firstContactPrefix },
        );
        addGauges(context);
        await app.register((scope) => metricsRoute(scope as typeof app, context));
        agentBundleRoute(app, context);
        await app.register((scope) => agentRoutes(scope as typeof app, context));
        await app.register((scope) => operatorRoutes(scope as typeof app, context));
        await app.register((scope) => pageRoutes(scope as typeof app, context));
        await app.register((scope) => localRoutes(scope as typeof app, context, dataDir));
        await startListening(app, listen);
        started.push(await listenOnControlSocket(app, dataDir));

        const close = async (graceMs = 0): Promise<void> => {
            draining = true;
            if (graceMs > 0) {
                await sleep(graceMs);
            }
            await end();
        };
        return {
            url: urlOf(listen.host, app.server.address() as AddressInfo),
            caPem: tls.caPem,
            caFile: tls.caFile,
            operatorToken,
            tokenFile,
            db,
            lost,
            close,
        };
    } catch (error) {
        await end();
        throw error;
    }
}
