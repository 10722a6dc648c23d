import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";

import { installKept } from "../../kept/packages";
import { makeAuthority } from "../../unit/local-cloud/support/pki";
import { startBootstrapServer } from "../local-cloud/support/bootstrap-process";
import { BootstrapStandIn } from "../local-cloud/support/bootstrap-stand-in";
import { clusterInState, inDays, World } from "./support/world";

// Each thing that a cluster needs is broken in turn; only its check, and those that rest on it, may say
// so. The Excloud and the bootstrap server are real processes; the `pulumi` answers from files, and the
// real one is in test/engine.

interface Finding {
    name: string;
    level: "ok" | "warn" | "fail";
    seen: string;
    next?: string;
}

type Environment = Record<string, string | undefined>;

let world: World;
let cluster: { cluster_id: number; name: string };

const urn = "urn:pulumi:prod::shop::pulumi-nodejs:dynamic/excloud-k8s:VirtualMachine::prod-cp-1";
const setCluster = (caPem = world.server.caPem, certificates = {}) =>
    world.setState(
        clusterInState("prod", cluster, { operatorUrl: world.server.url, caPem }, certificates),
    );

async function findings(environment: Environment = {}): Promise<[number | null, Finding[]]> {
    const { code, stdout } = await world.run(["doctor", "--json"], environment);
    return [code, JSON.parse(stdout) as Finding[]];
}

beforeAll(async () => {
    world = await World.open();
    cluster = await world.bootstrap("registerCluster", { key: "organization/shop/prod/prod" });
});
beforeEach(() => {
    world.reset();
    setCluster();
});
afterAll(() => world?.close());

test("where nothing is amiss, all is ok", async () => {
    setCluster(undefined, { admin: inDays(300) });
    const { code, stdout, stderr } = await world.run(["doctor"]);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout.trim().split("\n")).toHaveLength(16);
    expect(stdout.replace(/^ok .*\n/gm, "")).toBe("");
    for (const secret of [world.server.operatorToken, world.cloud.apiKey]) {
        expect(stdout).not.toContain(secret);
    }
});

test("before the first cluster, what cannot be checked is no failure", async () => {
    world.setState([]);
    const [code, found] = await findings();
    expect([code, notOk(found)]).toEqual([
        0,
        ["server", "TLS", "token", "API"].map((what) => `warn bootstrap ${what}`),
    ]);
});

test("before the first cluster, the environment can name the server", async () => {
    world.setState([]);
    const trusted = join(world.folder, "ca.crt");
    writeFileSync(trusted, world.server.caPem);
    const environment = { EXCLOUD_BOOTSTRAP_URL: world.server.url };
    expect(notOk((await findings(environment))[1])).toEqual([
        "fail bootstrap TLS",
        "fail bootstrap token",
    ]);
    expect(notOk((await findings({ ...environment, NODE_EXTRA_CA_CERTS: trusted }))[1])).toEqual(
        [],
    );
});

const servers = ["server", "TLS", "token", "API"].map((what) => `warn bootstrap ${what}`);
const withoutStack = ["configuration", "leftovers", "certificates"].map((name) => `warn ${name}`);
const withoutCredential = ["fail Excloud credential", "warn compute API", "warn DNS API"];

/** What is broken, how, and what is then not ok: all of it, the first with what it says. */
const breaks: readonly [
    what: string,
    breakIt: () => Environment | void | Promise<Environment>,
    notOk: readonly string[],
    says: RegExp,
][] = [
    [
        "no Pulumi CLI",
        () => ({ PATH: "/nowhere" }),
        ["fail Pulumi CLI", "warn stack", ...withoutStack, ...servers],
        /pulumi cannot be started in .*ENOENT.*install it/,
    ],
    [
        "an old Pulumi CLI",
        () => world.answer("version --non-interactive", "v3.100.0\n"),
        ["fail Pulumi CLI"],
        /v3\.100\.0 is not \^3\.\d+\.\d+.*install a newer/,
    ],
    [
        "a program without packages",
        () => setProgram({}),
        ["fail @pulumi/pulumi", "fail excloud-k8s"],
        /does not have it.*npm install/,
    ],
    [
        "a program with an old and a second @pulumi/pulumi",
        () =>
            setProgram({
                "@pulumi/pulumi": "3.100.0",
                "excloud-k8s/provider/v1": "0.1.0",
                "excloud-k8s/node_modules/@pulumi/pulumi": "3.248.0",
            }),
        ["fail @pulumi/pulumi", "fail excloud-k8s"],
        /3\.100\.0 is not \^3.*npm install @pulumi\/pulumi@\^3/,
    ],
    [
        "no stack",
        () => {
            world.answer("stack --show-name", undefined);
            world.answer("stack export", undefined);
        },
        ["fail stack", ...withoutStack, ...servers],
        /error: no stack --show-name.*pulumi stack select.*--stack/s,
    ],
    [
        "a wrong passphrase",
        () => world.answer("stack output", undefined),
        ["fail configuration"],
        /error: no stack output.*PULUMI_CONFIG_PASSPHRASE/s,
    ],
    [
        "a lock",
        () => {
            const folder = join(world.folder, ".pulumi/locks/organization/shop/prod");
            mkdirSync(folder, { recursive: true });
            const lock = {
                pid: 1,
                username: "ann",
                hostname: "elsewhere",
                timestamp: "2026-01-01",
            };
            writeFileSync(join(folder, "lock.json"), JSON.stringify(lock));
        },
        ["fail leftovers"],
        /locked by ann@elsewhere.*npx excloud-k8s unlock/s,
    ],
    [
        "a pending operation",
        () =>
            world.setState(
                clusterInState("prod", cluster, {
                    operatorUrl: world.server.url,
                    caPem: world.server.caPem,
                }),
                [{ type: "creating", resource: { urn } }],
            ),
        ["fail leftovers"],
        /interrupted while creating VirtualMachine prod-cp-1.*npx excloud-k8s unlock/s,
    ],
    [
        "a certificate that ends soon",
        () => setCluster(undefined, { admin: inDays(20.5), scheduler: inDays(40) }),
        ["warn certificates"],
        /^prod-admin ends in 20 days.*pulumi up/,
    ],
    [
        "a certificate that has ended",
        () => setCluster(undefined, { admin: inDays(20.5), scheduler: inDays(-2) }),
        ["fail certificates"],
        /^prod-scheduler ended on \S+, prod-admin ends in 20 days/,
    ],
    [
        "no credential",
        () => ({ EXCLOUD_API_KEY: undefined, HOME: "/nowhere" }),
        withoutCredential,
        /no Excloud API key was found.*EXCLOUD_API_KEY/,
    ],
    [
        "a wrong credential",
        () => ({ EXCLOUD_API_KEY: "wrong" }),
        withoutCredential,
        /GET \S+\/me answered 401 .*EXCLOUD_API_KEY/,
    ],
    [
        "an IAM API that is not there",
        () => ({ EXCLOUD_IAM_BASE_URL: "http://127.0.0.1:1" }),
        ["fail Excloud credential"],
        /GET http:\/\/127\.0\.0\.1:1\/me got no answer.*can be reached/,
    ],
    [
        "a DNS API that is not there",
        () => ({ EXCLOUD_DNS_BASE_URL: "http://127.0.0.1:1" }),
        ["fail DNS API"],
        /got no answer.*can be reached/,
    ],
    [
        "a compute API that is not there",
        () => ({ EXCLOUD_COMPUTE_BASE_URL: "http://127.0.0.1:1" }),
        ["fail compute API", "fail clock"],
        /got no answer.*can be reached/,
    ],
    [
        "a bootstrap server that is not there",
        () => ({ EXCLOUD_BOOTSTRAP_URL: "https://127.0.0.1:1" }),
        ["fail bootstrap server", ...servers.slice(1)],
        /GET https:\/\/127\.0\.0\.1:1\/health got no answer.*can be reached/,
    ],
    [
        "another authority",
        async () => setCluster((await makeAuthority("another")).certificate) ?? {},
        ["fail bootstrap TLS", "fail bootstrap token"],
        /that bootstrap\.caPem does not vouch for.*tls\/ca\.crt/,
    ],
    [
        "no operator's token",
        () => ({ EXCLOUD_BOOTSTRAP_TOKEN: undefined }),
        ["fail bootstrap token"],
        /no operator's token .* was found.*EXCLOUD_BOOTSTRAP_TOKEN/,
    ],
    [
        "a wrong operator's token",
        () => ({ EXCLOUD_BOOTSTRAP_TOKEN: "y".repeat(40) }),
        ["fail bootstrap token"],
        /answered 401.*EXCLOUD_BOOTSTRAP_TOKEN/,
    ],
];

describe("with one thing broken", () => {
    test.each(breaks)("%s", async (_, breakIt, expected, says) => {
        const environment = (await breakIt()) ?? {};
        const [code, found] = await findings(environment);
        expect(found).toHaveLength(16);
        expect(notOk(found)).toEqual(expected);
        expect(code).toBe(expected.some((line) => line.startsWith("fail")) ? 1 : 0);
        const first = found.find(({ level }) => level !== "ok");
        expect(`${first?.seen} ${first?.next}`).toMatch(says);
        for (const finding of found.filter(({ level }) => level === "fail")) {
            expect(finding).toMatchObject({ next: expect.stringMatching(/\S/) });
        }
    });

    test("a clock that is an hour off", async () => {
        const server = createServer((_, response) => {
            response.setHeader("date", new Date(Date.now() - 3_600_000).toUTCString());
            response.end("[]");
        }).listen(0, "127.0.0.1");
        await once(server, "listening");
        const { port } = server.address() as AddressInfo;
        const [, found] = await findings({ EXCLOUD_COMPUTE_BASE_URL: `http://127.0.0.1:${port}` });
        server.close();
        expect(notOk(found)).toEqual(["fail clock"]);
        expect(found.find(({ name }) => name === "clock")?.seen).toMatch(/^3(59|60)\d s off/);
    });

    test("something else in the server's place", async () => {
        const authority = await makeAuthority("authority");
        const other = await BootstrapStandIn.start(authority, "secret");
        world.setState(
            clusterInState("prod", cluster, {
                operatorUrl: other.url,
                caPem: authority.certificate,
            }),
        );
        const [, found] = await findings();
        await other.close();
        expect(notOk(found)).toEqual(
            ["server", "token", "API"].map((what) => `fail bootstrap ${what}`),
        );
        expect(found.at(-1)?.seen).toContain("does not say which contract it has");
    });

    test("a server of an older release", async () => {
        const packages = await installKept("v0.1", join(world.folder, "former"));
        const former = await startBootstrapServer(
            join(world.folder, "former-server"),
            world.cloud.environment(),
            packages["excloud-k8s-bootstrap"],
        );
        try {
            const { url: operatorUrl, caPem, operatorToken } = former;
            world.setState(clusterInState("prod", cluster, { operatorUrl, caPem }));
            const [, found] = await findings({ EXCLOUD_BOOTSTRAP_TOKEN: operatorToken });
            expect(notOk(found)).toEqual(["fail bootstrap API"]);
            expect(found.at(-1)).toMatchObject({
                seen: "contract 1, older than the 2 of this version",
                next: expect.stringContaining("install the newest excloud-k8s-bootstrap"),
            });
        } finally {
            await former.close();
        }
    });
});

test("without a project, it says where to run it", async () => {
    const { code, stdout } = await world.run(["doctor", "--cwd", "/"]);
    expect([code, stdout]).toEqual([1, expect.stringContaining("there is no Pulumi.yaml here")]);
    expect(stdout).not.toMatch(/^\s+at /m);
});

function notOk(found: readonly Finding[]): string[] {
    return found.filter(({ level }) => level !== "ok").map(({ level, name }) => `${level} ${name}`);
}

/** Makes the project's program one of its own, with packages that say they have these versions. */
function setProgram(packages: Readonly<Record<string, string>>): void {
    writeFileSync(
        join(world.folder, "Pulumi.yaml"),
        "name: shop\nruntime: nodejs\nmain: program\n",
    );
    const modules = join(world.folder, `program/node_modules`);
    mkdirSync(modules, { recursive: true });
    for (const [name, version] of Object.entries(packages)) {
        mkdirSync(join(modules, name), { recursive: true });
        writeFileSync(join(modules, name, "package.json"), JSON.stringify({ version }));
        writeFileSync(join(modules, name, "index.js"), "");
    }
}
