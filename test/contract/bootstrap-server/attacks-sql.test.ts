import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { sql } from "kysely";

import { Guarded, sampledFields } from "./support/guarded";
import { type Call, TestCluster } from "./support/harness";

/** Texts that do harm where a query is put together from text. */
const payloads = [
    "' OR '1'='1",
    "'; DROP TABLE bootstrap_contents; --",
    "1; DELETE FROM nodes",
    "1 UNION SELECT agent_token_sha256 FROM nodes",
    "$1",
    "\\'; DROP TABLE nodes; --",
    '"; DROP TABLE nodes; --',
    "'||(SELECT pg_sleep(60))||'",
    "\u0000",
    "\ud800",
    "\u02bc OR 1=1 --",
];

/** Parts of a path that name nothing, where the payload stands elsewhere: the route may not do its work. */
const nowhere = { cluster_id: "999999999999999", name: "a" };

/** A JSON schema, as far as it is looked at. */
interface Schema {
    type?: string;
    enum?: unknown[];
    const?: unknown;
    anyOf?: Schema[];
    items?: Schema;
    properties?: Record<string, Schema>;
    patternProperties?: Record<string, Schema>;
}

interface Operation {
    parameters?: { name: string; in: "path" | "query" | "header" }[];
    requestBody?: { content: Record<string, { schema: Schema }> };
    security?: Record<string, unknown>[];
}

/** A value of a schema's form. Not one that is taken: each is replaced in turn anyway. */
function sample(schema: Schema): unknown {
    if (schema.const !== undefined) {
        return schema.const;
    }
    if (schema.enum) {
        return schema.enum[0];
    }
    if (schema.anyOf) {
        return sample(schema.anyOf[0]!);
    }
    switch (schema.type) {
        case "object": {
            const { properties = {}, patternProperties = {} } = schema;
            const named = Object.entries(properties).map(
                ([name, one]) => [name, sample(one)] as const,
            );
            const matched = Object.values(patternProperties).map(
                (one) => ["/etc/a", sample(one)] as const,
            );
            return Object.fromEntries([...named, ...matched]);
        }
        case "array":
            return [sample(schema.items ?? {})];
        case "integer":
        case "number":
            return 1;
        case "boolean":
            return true;
        default:
            return "a";
    }
}

/** Each value of a body replaced by a payload, one at a time, and each name of a member. */
function poisoned(value: unknown, payload: string): unknown[] {
    if (Array.isArray(value)) {
        return [payload, ...value.flatMap((one) => poisoned(one, payload)).map((one) => [one])];
    }
    if (typeof value !== "object" || value === null) {
        return [payload, [payload], { a: payload }];
    }
    return Object.entries(value as Record<string, unknown>).flatMap(([name, member]) => [
        ...poisoned(member, payload).map((one) => ({ ...value, [name]: one })),
        { ...value, [payload]: member },
    ]);
}

interface Attack extends Call {
    path: string;
}

/** Every field of an operation with a payload in it: parts of the path, query, headers, body. */
function attacksOn(
    method: string,
    path: string,
    operation: Operation,
    values: Record<string, string>,
    credentials: Call,
): Attack[] {
    const call = { ...credentials, method: method.toUpperCase() as NonNullable<Call["method"]> };
    const fill = (more: Record<string, string>) =>
        path.replace(/\{(\w+)\}/g, (_, name: string) => ({ ...values, ...more })[name] ?? "a");
    const schema = Object.values(operation.requestBody?.content ?? {})[0]?.schema;
    const body = schema && sample(schema);
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
    const parameters = operation.parameters ?? [];
    const queries = parameters.filter((one) => one.in === "query").map(({ name }) => name);
    const headers = [
        ...parameters.filter((one) => one.in === "header").map(({ name }) => name),
        ...["authorization", "if-none-match", "x-exk8s-slot-secret", "x-exc-imds-token"],
    ];
    return payloads.flatMap((payload) => {
        const text = encodeURIComponent(payload.replace("\ud800", ""));
        return [
            ...inPath.map((name) => ({ ...call, body, path: fill({ [name]: text }) })),
            ...[...queries, "a"].map((name) => ({
                ...call,
                body,
                path: `${fill(nowhere)}?${name}=${text}`,
            })),
            ...(/^[\x20-\x7e]+$/.test(payload) ? headers : []).map((name) => {
                const path = fill(nowhere);
                const value = name === "authorization" ? `Bearer ${payload}` : payload;
                const more = { headers: { ...credentials.headers, [name]: value } };
                return name === "authorization"
                    ? { ...call, body, path, token: undefined, ...more }
                    : { ...call, body, path, ...more };
            }),
            ...poisoned(body ?? {}, payload)
                .filter(() => body !== undefined)
                .map((one) => ({ ...call, body: one, path: fill({}) })),
        ];
    });
}

describe.each(sampledFields)("SQL in every field, $mode on $store", ({ store, mode }) => {
    const field = new Guarded(store, mode);
    let paths: Record<string, Record<string, Operation>>;
    beforeAll(async () => {
        await field.start();
        const document = (await field.harness.call("/openapi.json")).body;
        paths = document.paths as typeof paths;
    });
    afterAll(() => field.stop());

    /** Every row of every table but those of audits, and the tables there are. */
    const contents = async (): Promise<Record<string, unknown[]>> => {
        const { db } = field.harness.server;
        const { rows } = await sql<{ name: string }>`SELECT table_name AS name
            FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`.execute(db);
        const all: Record<string, unknown[]> = {};
        for (const { name } of rows) {
            const table = await sql`SELECT to_jsonb(t) AS row FROM ${sql.table(name)} t
                ORDER BY to_jsonb(t)::text`.execute(db);
            all[name] = name.endsWith("_audit") ? [] : table.rows;
        }
        return all;
    };

    test("none gets through, none fails", async () => {
        const victim = await TestCluster.complete(field.harness, ["cp-1"]);
        await field.enrol(victim.nodes[0]!);
        await field.ask(victim.nodes[0]!);
        const { harness } = field;
        const credentials: Record<string, Call> = {
            operator: { token: field.operatorToken },
            agent: { token: field.open.agentToken },
            accessToken: { token: field.open.accessToken, headers: field.factor(field.open) },
        };
        const values = {
            cluster_id: String(victim.cluster.id),
            slot: "cp-1",
            role: "control-plane",
            vm_id: String(victim.nodes[0]!.vmId),
            name: "restart",
        };
        const before = await contents();
        let count = 0;
        const covered = new Set<string>();
        for (const [path, operations] of Object.entries(paths)) {
            for (const [method, operation] of Object.entries(operations)) {
                const scheme = Object.keys(operation.security?.[0] ?? {})[0] ?? "";
                const known = credentials[scheme] ?? {};
                const attacks = attacksOn(method, path, operation, values, known);
                const answers = await Promise.all(
                    attacks.map(async ({ path: sent, ...call }) => ({
                        sent,
                        body: JSON.stringify(call.body),
                        status: (await harness.call(sent, call)).status,
                    })),
                );
                expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
                count += answers.length;
                covered.add(`${method} ${path}`);
            }
        }
        const after = await contents();
        // What was asked in order was done: clusters of such keys, reports of such texts.
        const own = ["clusters", "bootstrap_reports", "bootstrap_leases", "nodes"];
        expect(Object.keys(after)).toEqual(Object.keys(before));
        for (const [table, rows] of Object.entries(before)) {
            if (!own.includes(table)) {
                expect({ table, rows: after[table] }).toEqual({ table, rows });
            } else {
                expect(after[table]!.length).toBeGreaterThanOrEqual(rows.length);
            }
        }
        expect(count).toBeGreaterThan(covered.size * payloads.length);
        expect((await field.open.bundle()).status).toBe(200);
    });

    test.each(payloads.filter((text) => !/[\0\ud800]/.test(text)))(
        "%s is kept as the text it is",
        async (text) => {
            const cluster = await TestCluster.register(field.harness, text);
            expect((await cluster.operator("")).body).toMatchObject({ key: text });
            await cluster.operator("", { method: "DELETE" });
            const more = { message: text, log_tail: [text] };
            expect((await field.open.report("addons", "failed", more)).status).toBe(204);
            const { nodes } = (await field.cluster.operator("/status")).body;
            expect(nodes.flatMap(({ phases }) => phases)).toContainEqual(
                expect.objectContaining(more),
            );
        },
    );
});
