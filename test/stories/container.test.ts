import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Agent, request } from "undici";

import { REPOSITORY } from "../../tools/engine/repository";
import { Buildah } from "./support/container";

// The bootstrap server's container file: the image is built and its server runs. Its base is made here.

const image = "excloud-k8s-bootstrap";
const dataFolder = "/var/lib/excloud-k8s-bootstrap";

let folder: string;
let buildah: Buildah;
let container: string;
let server: ChildProcess;
let serverPid: number;

/** Runs a command in the container as its user. */
const inContainer = (...command: string[]) =>
    buildah.run("run", "--isolation", "chroot", container, "--", ...command);

/** Starts what the image starts; gives its address once it listens, and its process on this machine. */
async function start(entrypoint: string[]): Promise<{ address: string; pid: number }> {
    const settings = [
        "EXCLOUD_API_KEY=nobody-is-asked",
        "EXCLOUD_ORG_ID=7",
        "EXCLOUD_BOOTSTRAP_LISTEN=127.0.0.1:0",
    ].flatMap((setting) => ["--env", setting]);
    const how = ["run", "--isolation", "chroot", ...settings, container, "--", ...entrypoint];
    server = spawn(...buildah.commandLine(...how), { stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    return new Promise((resolve, reject) => {
        for (const stream of [server.stdout, server.stderr]) {
            stream?.on("data", (chunk: Buffer) => {
                said += chunk.toString();
                const address = /^listening on (\S+)$/m.exec(said)?.[1];
                const pid = Number(/"pid":(\d+)/.exec(said)?.[1]);
                if (address !== undefined) {
                    resolve({ address, pid });
                }
            });
        }
        server.once("close", (code) => reject(new Error(`ended with ${code}: ${said}`)));
    });
}

beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "container-test-"));
    buildah = await Buildah.in(folder);
    await buildah.buildBase();
    await buildah.build(image, join(REPOSITORY, "bootstrap-server/Containerfile"), REPOSITORY);
    container = await buildah.run("from", "--pull-never", `localhost/${image}`);
});
afterAll(async () => {
    server?.kill();
    await buildah?.run("rm", "--all");
    rmSync(folder, { recursive: true, force: true });
});

test("the image has the server's packages and none of the other workspaces'", async () => {
    const packages = (await inContainer("ls", "/app/node_modules")).split("\n");
    expect(packages).toEqual(expect.arrayContaining(["fastify", "excloud-k8s-bootstrap"]));
    expect(packages).not.toContain("excloud-k8s");
    expect(packages).not.toContain("@pulumi");
    expect(packages).not.toContain("typescript");
});

test("its server answers by its own authority, as a user who is not root", async () => {
    const { OCIv1 } = JSON.parse(await buildah.run("inspect", "--type", "image", image)) as {
        OCIv1: { config: { Entrypoint: string[]; Cmd: string[] } };
    };
    const { address, pid } = await start([...OCIv1.config.Entrypoint, ...OCIv1.config.Cmd]);
    const ca = await inContainer("cat", `${dataFolder}/tls/ca.crt`);
    const dispatcher = new Agent({ connect: { ca } });
    const { body } = await request(`${address}/health`, { dispatcher });
    expect(await body.json()).toEqual({ status: "ok" });
    await dispatcher.close();
    serverPid = pid;
    expect(readFileSync(`/proc/${pid}/status`, "utf8")).toMatch(/^Uid:\s+1000\s+1000\s/m);
    expect(await inContainer("node", "/app/bootstrap-server/dist/main.js", "health")).toBe("ok");
});

test("it writes nowhere but to its volume", async () => {
    const its = `-newer ${dataFolder}/tls/ca.crt -type f -user 1000`;
    const find = `find / -xdev -path /proc -prune -o ${its} -print 2>/dev/null || true`;
    const files = (await inContainer("sh", "-c", find)).split("\n");
    expect(files.length).toBeGreaterThan(1);
    expect(files.filter((file) => !file.startsWith(`${dataFolder}/`))).toEqual([]);
});

test("it ends well when it is told to end", async () => {
    process.kill(serverPid, "SIGTERM");
    const [code] = (await once(server, "close")) as [number];
    expect(code).toBe(0);
});
