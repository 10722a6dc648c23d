import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { startLocalCloud, type LocalCloud } from "excloud-local";
import { Agent, request } from "undici";

import { makeClient, type Call } from "../../../provider/api/client";
import type { Operation } from "../../../provider/api/operation";
import { bootstrapOperations } from "../../../provider/bootstrap/operations";
import { generationOf, manifestForServer } from "../../../provider/handlers/bootstrap-files";
import {
    startBootstrapServer,
    type BootstrapProcess,
} from "../local-cloud/support/bootstrap-process";

// What we believe of the bootstrap server's API against what the server says of itself.

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

let dir: string;
let cloud: LocalCloud;
let server: BootstrapProcess;
let call: Call<typeof bootstrapOperations>;
let described: Record<string, Record<string, Described>>;

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
    const dispatcher = new Agent({ connect: { ca: server.caPem } });
    const answer = await request(`${server.url}/openapi.json`, { dispatcher });
    const text = (await answer.body.json()) as { paths: typeof described };
    described = text.paths;
    await dispatcher.close();
});

afterAll(async () => {
    await server?.close();
    await cloud?.close();
    rmSync(dir, { recursive: true, force: true });
});

describe.each(Object.entries(bootstrapOperations as Record<string, Operation>))(
    "%s",
    (_, operation) => {
        const there = () => described[operation.path]?.[operation.method.toLowerCase()];
        const bodyThere = () => there()?.requestBody?.content["application/json"]?.schema;
        const answerThere = () => there()?.responses["200"]?.content?.["application/json"]?.schema;

        test("exists at the server", () => {
            expect(there()).toBeDefined();
        });
        if (operation.body !== undefined) {
            const { body } = operation;
            test("sends what the server asks for, and nothing it refuses", () => {
                expect(faultsOfSent(plain(body), bodyThere(), "body")).toEqual([]);
            });
        } else {
            test("sends no body where one is expected", () => {
                expect(there()?.requestBody).toBeUndefined();
            });
        }
        if (operation.response !== undefined) {
            const { response } = operation;
            test("reads only what the server answers with", () => {
                expect(faultsOfRead(plain(response), answerThere(), "answer")).toEqual([]);
            });
        } else {
            test("expects no answer of a server that gives none", () => {
                expect(Object.keys(there()?.responses ?? {})).toContain("204");
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
        ["a member the server does not know", object({ a: text }), object({})],
        ["a member the server asks for", object({}), object({ a: text })],
        ["another type", object({ a: text }), object({ a: { type: "integer" } })],
        ["another type in a list", { type: "array", items: text }, { type: "array", items: {} }],
    ])("%s in a body", (_, ours, theirs) => {
        expect(faultsOfSent(ours, theirs, "body")).toHaveLength(1);
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
        const roleFiles = { "/etc/shared": file("shared") };
        const files = { "/etc/Z": file("upper"), "/etc/a.b": file("dot"), "/etc/a/b": file("é\n") };
        await call("putRoleFiles", {
            cluster_id,
            role: "control-plane",
            slots: ["cp-1"],
            files: roleFiles,
        });
        const lines = Object.fromEntries(
            Object.entries({ ...roleFiles, ...files }).map(([path, { content, mode, owner }]) => [
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

function sha256(text: string): string {
    return createHash("sha256").update(text).digest("hex");
}

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

/** Why the server would refuse what we send. */
function faultsOfSent(ours: Schema, theirs: Schema | undefined, at: string): string[] {
    if (theirs === undefined) {
        return [`${at}: the server knows no such member`];
    }
    const misfits = kindsOf(ours).filter(
        (kind) => !kindsOf(theirs).some((allowed) => isOfType(kind, allowed)),
    );
    // An enumeration of the server's is a matter of values, which a type cannot promise.
    if (misfits.length > 0 && !(misfits[0] === "string" && kindsOf(theirs)[0]?.startsWith('"'))) {
        return [`${at}: we send ${misfits.join()}, the server takes ${kindsOf(theirs).join()}`];
    }
    return [
        ...(theirs.required ?? [])
            .filter((name) => !ours.required?.includes(name))
            .map((name) => `${at}.${name}: the server asks for it`),
        ...inside(ours, theirs, at, faultsOfSent),
    ];
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
        ...inside(ours, theirs, at, faultsOfRead),
    ];
}

function inside(
    ours: Schema,
    theirs: Schema,
    at: string,
    compare: (ours: Schema, theirs: Schema | undefined, at: string) => string[],
): string[] {
    const entries = entriesOf(ours);
    return [
        ...Object.entries(ours.properties ?? {}).flatMap(([name, member]) =>
            compare(member, theirs.properties?.[name], `${at}.${name}`),
        ),
        ...(ours.items ? compare(ours.items, theirs.items, `${at}[]`) : []),
        ...(entries ? compare(entries, entriesOf(theirs), `${at}.*`) : []),
    ];
}
