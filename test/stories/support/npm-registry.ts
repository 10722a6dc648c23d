import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename } from "node:path";

/** A package that is served from this clone. */
export interface LocalPackage {
    readonly name: string;
    /** Its `package.json`. */
    readonly about: { readonly version: string };
    /** Path of its `.tgz`. */
    readonly file: string;
}

/** What a registry says of a package, as far as it is changed here. */
interface Packument {
    readonly versions: Record<string, { readonly dist: { tarball: string } }>;
}

/**
 * An npm registry within reach of real nodes, which have no way out: one package is this clone's, all others
 * are those of the registry that npm uses here.
 */
export async function startNpmRegistry(host: string, upstream: string, own: LocalPackage) {
    const server = createServer((request, response) => {
        answer(request.url ?? "/").then(
            ({ status, body }) => response.writeHead(status).end(body),
            (error: unknown) => response.writeHead(502).end(String(error)),
        );
    });
    server.listen(0, host);
    await once(server, "listening");
    const url = `http://${host}:${(server.address() as AddressInfo).port}`;

    const tarball = readFileSync(own.file);
    const tarballPath = `/${own.name}/-/${own.name}-${own.about.version}.tgz`;
    const integrity = `sha512-${createHash("sha512").update(tarball).digest("base64")}`;
    const packument = {
        name: own.name,
        "dist-tags": { latest: own.about.version },
        versions: {
            [own.about.version]: { ...own.about, dist: { tarball: url + tarballPath, integrity } },
        },
    };

    async function answer(path: string): Promise<{ status: number; body: string | Buffer }> {
        if (path === `/${own.name}`) {
            return { status: 200, body: JSON.stringify(packument) };
        }
        if (path === tarballPath) {
            return { status: 200, body: tarball };
        }
        const { status, body } = await fetch(upstream + path).then(async (found) => ({
            status: found.status,
            body: Buffer.from(await found.arrayBuffer()),
        }));
        if (status !== 200 || path.includes("/-/")) {
            return { status, body };
        }
        const known = JSON.parse(body.toString()) as Packument;
        for (const { dist } of Object.values(known.versions)) {
            dist.tarball = `${url}${decodeURIComponent(path)}/-/${basename(dist.tarball)}`;
        }
        return { status, body: JSON.stringify(known) };
    }

    return {
        url,
        close: async () => {
            server.closeAllConnections();
            server.close();
            await once(server, "close");
        },
    };
}
