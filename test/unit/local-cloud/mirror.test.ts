import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";

import { type Mirror, startMirror } from "../../../local-cloud/src/real/mirror";
import { freePort } from "../../../tools/free-port";

/**
 * In place of the registry, which takes long to build: serves what the mirror waits for at the
 * address of its configuration. The real one is tried with real nodes.
 */
const REGISTRY = `#!${process.execPath}
const configuration = JSON.parse(require("node:fs").readFileSync(process.argv[3], "utf8"));
if (!configuration.storage.maintenance.readonly.enabled) process.exit(3);
const [host, port] = configuration.http.addr.split(":");
require("node:http").createServer((_, response) => response.end("{}")).listen(port, host);
`;
const FILE = "/dl.example/v1/program.sha256";

let folder: string;
let mirror: Mirror | undefined;
const log = jest.fn();

beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "mirror-test-"));
    log.mockClear();
    await mkdir(path.join(folder, "artifacts", "bin"), { recursive: true });
    await mkdir(path.join(folder, "artifacts", "registry"));
    await mkdir(path.join(folder, "artifacts", "mirror", path.dirname(FILE)), { recursive: true });
    await writeFile(path.join(folder, "artifacts", "mirror", FILE), "true digest");
    await placeRegistry(REGISTRY);
});
afterEach(async () => {
    await mirror?.close();
    mirror = undefined;
    await rm(folder, { recursive: true, force: true });
});

const placeRegistry = (text: string): Promise<void> =>
    writeFile(path.join(folder, "artifacts", "bin", "registry"), text, { mode: 0o755 });

async function start(): Promise<Mirror> {
    mirror = await startMirror({
        artifacts: path.join(folder, "artifacts"),
        address: "127.0.0.1",
        filesPort: await freePort(),
        registryPort: await freePort(),
        dir: folder,
        log,
    });
    return mirror;
}

async function get(url: string): Promise<string> {
    const response = await fetch(url);
    return response.ok ? await response.text() : `status ${response.status}`;
}

describe("mirror", () => {
    test("serves files at upstream's paths, and the registry until it is closed", async () => {
        const { filesUrl, registryUrl, close } = await start();
        expect(await get(filesUrl + FILE)).toBe("true digest");
        expect(await get(`${filesUrl}/dl.example/other`)).toBe("status 404");
        expect(await get(`${registryUrl}/v2/`)).toBe("{}");
        await close();
        await expect(get(filesUrl + FILE)).rejects.toThrow();
        await expect(get(`${registryUrl}/v2/`)).rejects.toThrow();
        expect(log).not.toHaveBeenCalled();
    });
    test("goes down and up again", async () => {
        const { filesUrl, registryUrl, setFault } = await start();
        await setFault("down");
        await expect(get(filesUrl + FILE)).rejects.toThrow();
        await expect(get(`${registryUrl}/v2/`)).rejects.toThrow();
        await Promise.all([setFault(undefined), setFault("down"), setFault(undefined)]);
        expect(await get(filesUrl + FILE)).toBe("true digest");
        expect(await get(`${registryUrl}/v2/`)).toBe("{}");
    });
    test("gives one file another content", async () => {
        const { filesUrl, setFault } = await start();
        await setFault({ path: FILE, content: "false digest" });
        expect(await get(filesUrl + FILE)).toBe("false digest");
        await setFault(undefined);
        expect(await get(filesUrl + FILE)).toBe("true digest");
    });
    test("says why the registry did not start, and listens no longer", async () => {
        await placeRegistry("#!/bin/sh\necho no such storage >&2\nexit 1\n");
        await expect(start()).rejects.toThrow(/no such storage/);
    });
    test("says when the registry ends by itself", async () => {
        await placeRegistry(`${REGISTRY}setTimeout(() => process.exit(7), 300);\n`);
        await start();
        while (log.mock.calls.length === 0) {
            await new Promise((resolve) => setTimeout(resolve, 20));
        }
        expect(log).toHaveBeenCalledWith(expect.stringMatching(/ended: exit code 7, see .*\.log/));
        expect(await readFile(path.join(folder, "registry.log"), "utf8")).toBe("");
    });
});
