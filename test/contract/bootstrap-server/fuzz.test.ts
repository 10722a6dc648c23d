import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { isFull } from "../../support/sample";
import { Guarded } from "./support/guarded";
import { ensureSchemathesis, fuzz } from "./support/schemathesis";

const maxExamples = isFull ? 300 : 15;
const seed = 20_260_101;
const program = ensureSchemathesis();

/** How often each status was answered, by the server's log. */
function statusesIn(lines: readonly string[]): Map<number, number> {
    const counts = new Map<number, number>();
    for (const line of lines) {
        const { res } = JSON.parse(line) as { res?: { statusCode: number } };
        if (res) {
            counts.set(res.statusCode, (counts.get(res.statusCode) ?? 0) + 1);
        }
    }
    return counts;
}

/**
 * Requests made from the server's own OpenAPI document, right and wrong ones: none is a 5xx, every
 * answer is one that the document has.
 */
(program === undefined ? describe.skip : describe)("fuzz", () => {
    const field = new Guarded("PostgreSQL", "selfHosted", { perAddress: 1e9, perVm: 1e9 });
    beforeAll(() => field.start());
    afterAll(() => field.stop());

    const bearer = (token = ""): Record<string, string> => ({ Authorization: `Bearer ${token}` });
    test.each([
        [
            "^/(health|v1/vms.*|v1/clusters|v1/clusters/.cluster_id.)$",
            "operator",
            false,
            [200, 400, 404],
        ],
        ["^/v1/clusters/.cluster_id./", "operator", true, [200, 204, 400, 404, 422]],
        ["^/agent/", "agent", false, [200, 204, 400]],
        ["^/bootstrap/", "node", false, [401]],
    ] as [string, "operator" | "agent" | "node", boolean, number[]][])(
        "%s as %s",
        async (paths, who, ofCluster, reached) => {
            const logged = field.harness.log.length;
            const headers = {
                operator: bearer(field.operatorToken),
                agent: bearer(field.closed.agentToken),
                node: {
                    ...bearer(field.open.accessToken),
                    ...(field.factor(field.open) as Record<string, string>),
                },
            };
            const { url, caFile } = field.harness.server;
            const report = await fuzz(program!, {
                url,
                caFile,
                paths,
                headers: headers[who],
                ...(ofCluster
                    ? { parameters: { "path.cluster_id": String(field.cluster.id) } }
                    : {}),
                maxExamples,
                seed,
            });
            expect(report).toMatch(/[1-9][0-9]* generated/);
            const answered = statusesIn(field.harness.log.slice(logged));
            console.info(`${paths} as ${who}: ${JSON.stringify(Object.fromEntries(answered))}`);
            // It came past the token, to what the routes do.
            expect([...answered.keys()]).toEqual(expect.arrayContaining(reached));
        },
    );
});
