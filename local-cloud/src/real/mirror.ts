import * as path from "node:path";

import send from "@fastify/send";
import fastify, { type FastifyInstance } from "fastify";

import { type Registry, startRegistry } from "./registry";

/** What {@link startMirror} serves, and where. */
export interface MirrorOptions {
    /** Folder with `mirror/`, `registry/` and `bin/registry`. */
    readonly artifacts: string;
    readonly address: string;
    readonly filesPort: number;
    readonly registryPort: number;
    /** Gets the registry's configuration and log. */
    readonly dir: string;
    /** Receives a line when the registry ends by itself. */
    log(line: string): void;
}

/**
 * What is wrong with the mirror: nothing listens, or one file has another content than it should.
 * `path` is that of its URL, with a slash at its start.
 */
export type MirrorFault = "down" | { readonly path: string; readonly content: string };

/** A server of upstream's downloads and one of its container images. */
export interface Mirror {
    /** Files lie below it as at upstream: `<filesUrl>/dl.k8s.io/v1.35.4/...`. */
    readonly filesUrl: string;
    readonly registryUrl: string;
    /** Makes the mirror faulty from now on, or whole again. */
    readonly setFault: (fault: MirrorFault | undefined) => Promise<void>;
    readonly close: () => Promise<void>;
}

/** What listens while the mirror is up. */
interface Servers {
    readonly files: FastifyInstance;
    readonly registry: Registry;
}

/**
 * Starts a mirror of everything that nodes download.
 *
 * @throws when an address cannot be listened at, or an artifact is missing
 */
export async function startMirror(options: MirrorOptions): Promise<Mirror> {
    let fault: MirrorFault | undefined;
    let servers: Servers | undefined = await start(options, () => fault);
    // Changes come one after another, however they are called.
    let last: Promise<unknown> = Promise.resolve();
    const inTurn = (change: () => Promise<void>): Promise<void> => {
        const done = last.then(change);
        last = done.catch(() => undefined);
        return done;
    };
    const down = async (): Promise<void> => {
        await servers?.files.close();
        await servers?.registry.close();
        servers = undefined;
    };
    return {
        filesUrl: `http://${options.address}:${options.filesPort}`,
        registryUrl: `http://${options.address}:${options.registryPort}`,
        setFault: (wanted) =>
            inTurn(async () => {
                fault = wanted;
                if (fault === "down") {
                    await down();
                } else {
                    servers ??= await start(options, () => fault);
                }
            }),
        close: () => inTurn(down),
    };
}

async function start(
    options: MirrorOptions,
    fault: () => MirrorFault | undefined,
): Promise<Servers> {
    const { artifacts, address } = options;
    const files = serveFiles(path.join(artifacts, "mirror"), fault);
    await files.listen({ host: address, port: options.filesPort });
    try {
        const registry = await startRegistry({
            program: path.join(artifacts, "bin", "registry"),
            storage: path.join(artifacts, "registry"),
            isReadOnly: true,
            address,
            port: options.registryPort,
            dir: options.dir,
            onExit: (reason) => options.log(`the container registry ended: ${reason}`),
        });
        return { files, registry };
    } catch (error) {
        await files.close();
        throw error;
    }
}

function serveFiles(root: string, fault: () => MirrorFault | undefined): FastifyInstance {
    const app = fastify({ forceCloseConnections: true });
    app.get("/*", async (request, reply) => {
        const current = fault();
        const { pathname } = new URL(request.url, "http://mirror");
        if (typeof current === "object" && pathname === current.path) {
            return reply.send(current.content);
        }
        const { statusCode, headers, stream } = await send(request.raw, pathname, { root });
        return reply.status(statusCode).headers(headers).send(stream);
    });
    return app;
}
