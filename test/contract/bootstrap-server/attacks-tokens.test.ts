import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { leaks } from "../../support/secrets";
import { serverApiKey } from "./support/excloud-stand-in";
import { Guarded, sampledFields } from "./support/guarded";
import { type Answer, type Call, slotSecret, TestCluster } from "./support/harness";

type Method = NonNullable<Call["method"]>;

/** Something that is no valid token of a route: a token, or a whole header. */
type Wrong = [name: string, credential: (field: Guarded) => Promise<Call> | Call];

const nonsense: Wrong[] = [
    ["no token", () => ({})],
    ["a guess", () => ({ token: "guess" })],
    ["an empty token", () => ({ headers: { authorization: "Bearer " } })],
    ["SQL", () => ({ token: "'OR'1'='1" })],
    ["a long token", () => ({ token: "x".repeat(8000) })],
    ["the server's key at Excloud", () => ({ token: serverApiKey })],
    ["an access token", (f) => ({ token: f.open.accessToken })],
    ["a slot secret", (f) => ({ token: slotSecret(f.open.slot) })],
];

const wrongForAgents: Wrong[] = [
    ...nonsense,
    ["the operator token", (f) => ({ token: f.operatorToken })],
    [
        "the right token twice",
        (f) => ({ headers: { authorization: Array(2).fill(`Bearer ${f.open.agentToken}`) } }),
    ],
    [
        "the right token by another scheme",
        (f) => ({ headers: { authorization: `Basic ${f.open.agentToken}` } }),
    ],
    ["a token whose slot got another VM", (f) => ({ token: f.replaced.agentToken })],
    [
        "a token before the last first bundle",
        async (f) => {
            await f.ask(f.other);
            const token = f.other.agentToken;
            await f.ask(f.other);
            return { token };
        },
    ],
    [
        "a token of a node whose bundle is deleted",
        async (f) => {
            const { cluster, nodes } = await TestCluster.complete(f.harness, ["cp-1"]);
            await f.enrol(nodes[0]!);
            await f.ask(nodes[0]!);
            await cluster.operator("/nodes/cp-1/bundle", { method: "DELETE" });
            return { token: nodes[0]!.agentToken };
        },
    ],
    [
        "a token of a cluster that is deleted",
        async (f) => {
            const { cluster, nodes } = await TestCluster.complete(f.harness, ["cp-1"]);
            await f.enrol(nodes[0]!);
            await f.ask(nodes[0]!);
            await cluster.operator("", { method: "DELETE" });
            return { token: nodes[0]!.agentToken };
        },
    ],
];

const wrongForOperators: Wrong[] = [
    ...nonsense,
    ["an agent token", (f) => ({ token: f.open.agentToken })],
    ["a part of the token", (f) => ({ token: f.operatorToken.slice(0, -1) })],
    ["the token and more", (f) => ({ token: `${f.operatorToken}x` })],
    ["the token in small letters", (f) => ({ token: f.operatorToken.toLowerCase() })],
    [
        "the token by another scheme",
        (f) => ({ headers: { authorization: `Basic ${f.operatorToken}` } }),
    ],
    [
        "the token twice",
        (f) => {
            const authorization = Array(2).fill(`Bearer ${f.operatorToken}`);
            return { headers: { authorization } };
        },
    ],
];

/** The whole answer but for date and request id, and what came of the connection. */
function comparable({ status, headers, body }: Answer) {
    const { date: _date, connection: _connection, "keep-alive": _keepAlive, ...rest } = headers;
    return { status, headers: rest, body: { error: { ...body.error, request_id: "" } } };
}

describe.each(sampledFields)("tokens, $mode on $store", ({ store, mode }) => {
    const field = new Guarded(store, mode);
    beforeAll(() => field.start());
    afterAll(() => field.stop());

    /** Every route under a prefix, by the server's own document, with values that are in order. */
    const routesUnder = async (prefix: string): Promise<[Method, string][]> => {
        const { paths } = (await field.harness.call("/openapi.json")).body;
        const values: Record<string, string> = {
            cluster_id: String(field.cluster.id),
            slot: field.open.slot,
            role: field.open.role,
            vm_id: String(field.open.vmId),
            name: "restart",
        };
        return Object.entries(paths)
            .filter(([path]) => path.startsWith(prefix))
            .flatMap(([path, methods]) =>
                Object.keys(methods).map((method): [Method, string] => [
                    method.toUpperCase(),
                    path.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "1"),
                ]),
            );
    };

    const expectRefusals = async (prefix: string, credential: Wrong[1], code: string) => {
        const refusals = new Set<string>();
        const before = field.harness.log.length;
        const wrong = await credential(field);
        for (const [method, path] of await routesUnder(prefix)) {
            // A body that would be refused as such, were it read.
            const text = method === "PUT" || method === "POST" ? "{" : undefined;
            const call = { method, ...wrong, ...(text === undefined ? {} : { text }) };
            const answer = await field.harness.call(path, call);
            expect({ method, path, code: answer.body.error.code }).toEqual({ method, path, code });
            refusals.add(JSON.stringify(comparable(answer)));
        }
        expect([...refusals]).toHaveLength(1);
        expect([...refusals][0]).toContain('"status":401');
        const text = field.harness.log.slice(before).join("");
        expect(leaks(field.secrets, [{ name: "the log", text }])).toEqual([]);
    };

    test.each(wrongForAgents)("agents' routes refuse %s", async (_name, credential) => {
        await expectRefusals("/agent/", credential, "bootstrap.agent.unauthorized");
    });

    test.each(wrongForOperators)("operators' routes refuse %s", async (_name, credential) => {
        await expectRefusals("/v1/", credential, "bootstrap.operator.unauthorized");
    });

    test("an agent token is good for its own node alone", async () => {
        await field.ask(field.open);
        await field.ask(field.other);
        const { body } = await field.other.bundle();
        expect(body.files).toEqual({ "/etc/node": "node worker-1", "/etc/role": "role 1" });
        // Whatever it says of itself beside the report is ignored: it speaks for its own node.
        await field.other.report("kubelet", "done", { node_name: "cp-1", slot: "cp-1" });
        const { nodes } = (await field.other.cluster.operator("/status")).body;
        const reporters = nodes as unknown as { slot: string; phases: { phase: string }[] }[];
        expect(
            reporters
                .filter(({ phases }) => phases.some(({ phase }) => phase === "kubelet"))
                .map(({ slot }) => slot),
        ).toEqual([field.other.slot]);
        await field.open.lease("restart");
        const path = "/agent/leases/restart";
        const token = field.other.agentToken;
        expect((await field.harness.call(path, { method: "DELETE", token })).status).toBe(409);
        expect((await field.other.lease("restart")).body).toMatchObject({
            granted: false,
            holder: field.open.slot,
        });
    });
});
