import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type LocalCloud, startLocalCloud } from "excloud-local";
import { Agent, request } from "undici";

import { sha256 } from "../../../contract/manifest";
import { type Call, makeClient } from "../../../provider/api/client";
import type { Operation } from "../../../provider/api/operation";
import { generationOf, manifestForServer } from "../../../provider/bootstrap/files";
import { bootstrapOperations } from "../../../provider/bootstrap/operations";
import { installKept } from "../../kept/packages";
import {
    type BootstrapProcess,
    startBootstrapServer,
} from "../local-cloud/support/bootstrap-process";

// What programs read of bootstrap servers: of ours, and of one of 0.1, which they still read and destroy with.

/** The parts of JSON Schema that both sides use. */
interface Schema {
    type?: string;
    properties?: Record<string, Schema>;
    required?: string[];
    items?: Schema;
    enum?: unknown[];
    const?: unknown;
    anyOf?: Schema[];
    nullable?: boolean;
    pattern?: string;
    patternProperties?: Record<string, Schema>;
    additionalProperties?: boolean | Schema;
}
interface Described {
    requestBody?: { content: Record<string, { schema: Schema }> };
    responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}

type Description = Record<string, Record<string, Described>>;

let dir: string;
let cloud: LocalCloud;
let server: BootstrapProcess;
let call: Call<typeof bootstrapOperations>;
const described: Record<"ours" | "0.1", Description> = { ours: {}, "0.1": {} };

async function descriptionOf({ url, caPem }: BootstrapProcess): Promise<Description> {
    const dispatcher = new Agent({ connect: { ca: caPem } });
    const answer = await request(`${url}/openapi.json`, { dispatcher });
    const { paths } = (await answer.body.json()) as { paths: Description };
    await dispatcher.close();
    return paths;
}

beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), "bootstrap-operations-"));
    cloud = await startLocalCloud({ dir: join(dir, "cloud"), nodes: "none" });
    server = await startBootstrapServer(join(dir, "server"), cloud.environment());
    call = makeClient(bootstrapOperations, {
        baseUrls: { bootstrap: server.url },
        token: () => server.operatorToken,
        credentialName: "the token",
        caPem: server.caPem,
    });
    described.ours = await descriptionOf(server);
    const former = await startBootstrapServer(
        join(dir, "former"),
        cloud.environment(),
        (await installKept("v0.1", join(dir, "packages")))["excloud-k8s-bootstrap"],
    );
    described["0.1"] = await descriptionOf(former);
    await former.close();
});

afterAll(async () => {
    await server?.close();
    await cloud?.close();
    rmSync(dir, { recursive: true, force: true });
});

/** What is new since 0.1: nothing of it is asked of such a server but by mistake, which it survives. */
const sinceFirst = ["putPoolFiles", "getPoolFiles", "deletePoolFiles"];

describe.each(Object.entries(bootstrapOperations as Record<string, Operation>))(
    "%s",
    (name, operation) => {
        const at = (release: keyof typeof described) =>
            described[release][operation.path]?.[operation.method.toLowerCase()];
        const answerOf = (release: keyof typeof described) =>
            at(release)?.responses["200"]?.content?.["application/json"]?.schema;

        test("is served", () => {
            expect(at("ours")).toBeDefined();
        });
        test(`is ${sinceFirst.includes(name) ? "not " : ""}served by 0.1`, () => {
            expect(at("0.1") === undefined).toBe(sinceFirst.includes(name));
        });
        const { response } = operation;
        if (response !== undefined && !sinceFirst.includes(name)) {
            test.each(["ours", "0.1"] as const)("reads what %s answers", (release) => {
                expect(faultsOfRead(plain(response), answerOf(release), "answer")).toEqual([]);
            });
        }
    },
);

describe("the comparison itself finds", () => {
    const text: Schema = { type: "string" };
    const object = (properties: Record<string, Schema>, required = Object.keys(properties)) => ({
        type: "object",
        properties,
        required,
    });

    test.each([
        ["a member the server never gives", object({ a: text }), object({})],
        ["a member the server may leave out", object({ a: text }), object({ a: text }, [])],
        ["a null we do not expect", text, { anyOf: [text, { type: "null" }] }],
        ["a value we do not expect", { const: "a" }, { type: "string", enum: ["a", "b"] }],
    ])("%s in an answer", (_, ours, theirs) => {
        expect(faultsOfRead(ours, theirs, "answer")).toHaveLength(1);
    });
});

describe("the generation", () => {
    const manifest = {
        "/etc/b": `${"2".repeat(64)} 0600 root:root`,
        "/etc/a/c": `${"1".repeat(64)} 0644 root:root`,
        "/etc/B": `${"3".repeat(64)} 0755 etcd:etcd`,
        "/etc/a.c": `${"4".repeat(64)} 0644 root:root`,
    };

    test("is frozen: nodes that run today compare it", () => {
        expect(generationOf(manifest)).toBe(
            "303c54eab19356bfdb4503726d5351043452180201dec5768469459b515561d3",
        );
        const lines = [
            `/etc/B\t${"3".repeat(64)}\t0755\tetcd:etcd\n`,
            `/etc/a.c\t${"4".repeat(64)}\t0644\troot:root\n`,
            `/etc/a/c\t${"1".repeat(64)}\t0644\troot:root\n`,
            `/etc/b\t${"2".repeat(64)}\t0600\troot:root\n`,
        ];
        expect(generationOf(manifest)).toBe(sha256(lines.join("")));
    });

    test("does not depend on the order in which files are listed", () => {
        const reversed = Object.fromEntries(Object.entries(manifest).reverse());
        expect(generationOf(reversed)).toBe(generationOf(manifest));
    });

    test("is what the server computes, and the server refuses any other", async () => {
        const { cluster_id } = await call("registerCluster", { key: "generation" });
        await call("putSlot", {
            cluster_id,
            slot: "cp-1",
            role: "control-plane",
            node_name: `cp-1.cluster-${cluster_id}.internal`,
            secret_sha256: sha256("secret"),
        });
        const file = (content: string, mode = "0644") => ({ content, mode, owner: "root:root" });
        const poolFiles = { "/etc/shared": file("shared") };
        const files = { "/etc/Z": file("upper"), "/etc/a.b": file("dot"), "/etc/a/b": file("é\n") };
        await call("putPoolFiles", {
            cluster_id,
            pool: "cp",
            role: "control-plane",
            slots: ["cp-1"],
            files: poolFiles,
        });
        const lines = Object.fromEntries(
            Object.entries({ ...poolFiles, ...files }).map(([path, { content, mode, owner }]) => [
                path,
                `${sha256(content)} ${mode} ${owner}`,
            ]),
        );
        const bundle = {
            cluster_id,
            slot: "cp-1",
            vm_id: 7,
            address: "10.0.0.1",
            files,
            manifest: manifestForServer(lines),
        };
        const generation = generationOf(lines);
        expect((await call("putBundle", { ...bundle, generation })).generation).toBe(generation);
        expect((await call("getBundle", { cluster_id, slot: "cp-1" })).generation).toBe(generation);
        await expect(
            call("putBundle", { ...bundle, generation: sha256("another") }),
        ).rejects.toMatchObject({
            status: 422,
            code: "bootstrap.bundle.generation_mismatch",
            message: expect.stringContaining(generation),
        });
    });
});

/** A schema without the symbols of the library that made it. */
function plain(schema: object): Schema {
    return JSON.parse(JSON.stringify(schema)) as Schema;
}

/** The values of a map's entries. */
function entriesOf({ patternProperties, additionalProperties }: Schema): Schema | undefined {
    const [first] = Object.values(patternProperties ?? {});
    return first ?? (typeof additionalProperties === "object" ? additionalProperties : undefined);
}

/** The kinds of values a schema lets through, each as one word. */
function kindsOf(schema: Schema): string[] {
    if (schema.anyOf !== undefined) {
        return schema.anyOf.flatMap(kindsOf);
    }
    const values = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
    const kinds = values?.map((value) => JSON.stringify(value)) ?? [schema.type ?? "anything"];
    return schema.nullable ? [...kinds, "null"] : kinds;
}

function isOfType(kind: string, type: string): boolean {
    return kind === type || (kind.startsWith('"') && type === "string");
}

/** What of an answer may not be what we read. */
function faultsOfRead(ours: Schema, theirs: Schema | undefined, at: string): string[] {
    if (theirs === undefined) {
        return [`${at}: the server gives no such member`];
    }
    const surprises = kindsOf(theirs).filter(
        (kind) => !kindsOf(ours).some((expected) => isOfType(kind, expected)),
    );
    if (surprises.length > 0) {
        return [`${at}: the server may give ${surprises.join()}, we read ${kindsOf(ours).join()}`];
    }
    return [
        ...(ours.required ?? [])
            .filter((name) => theirs.properties?.[name] && !theirs.required?.includes(name))
            .map((name) => `${at}.${name}: the server may leave it out`),
        ...inside(ours, theirs, at),
    ];
}

function inside(ours: Schema, theirs: Schema, at: string): string[] {
    const entries = entriesOf(ours);
    // What we may do without, an older server need not give.
    const isAsked = (name: string) => ours.required?.includes(name) || theirs.properties?.[name];
    return [
        ...Object.entries(ours.properties ?? {})
            .filter(([name]) => isAsked(name))
            .flatMap(([name, member]) =>
                faultsOfRead(member, theirs.properties?.[name], `${at}.${name}`),
            ),
        ...(ours.items ? faultsOfRead(ours.items, theirs.items, `${at}[]`) : []),
        ...(entries ? faultsOfRead(entries, entriesOf(theirs), `${at}.*`) : []),
    ];
}
