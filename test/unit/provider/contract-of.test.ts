import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { expect, test } from "@jest/globals";

import { contractIn } from "../../../contract/number";
import { makeContext } from "../../../provider/context";

// What a process asks of a bootstrap server's contract, against a server that answers as each test says.

async function asking(
    status: number,
    body: object,
    work: (operatorUrl: string) => Promise<void>,
): Promise<string[]> {
    const asked: string[] = [];
    const server = createServer((request, response) => {
        asked.push(
            `${request.method} ${request.url} ${request.headers.authorization ?? ""}`.trim(),
        );
        response.writeHead(status);
        response.end(JSON.stringify(body));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    try {
        await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    } finally {
        server.closeAllConnections();
        server.close();
    }
    return asked;
}

test("a server is asked once in a process, by all resources together, without a credential", async () => {
    const asked = await asking(200, { status: "ready", contract: 7 }, async (operatorUrl) => {
        const numbers = Array.from({ length: 3 }, () =>
            makeContext(() => undefined).contractOf({ operatorUrl }),
        );
        const answer = { url: operatorUrl, number: 7 };
        expect(await Promise.all(numbers)).toEqual([answer, answer, answer]);
        expect(await makeContext(() => undefined).contractOf({ operatorUrl })).toEqual(answer);
    });
    expect(asked).toEqual(["GET /ready"]);
});

test.each([
    ["that is ready", 200, "ready"],
    ["that drains", 503, "draining"],
    ["without a database", 503, "no_database"],
])("one %s and tells no number has the first", async (_, code, status) => {
    await asking(code, { status }, async (operatorUrl) => {
        const contract = await makeContext(() => undefined).contractOf({ operatorUrl });
        expect(contract?.number).toBe(1);
    });
});

test.each([
    ["refuses", 404, {}],
    ["fails", 500, { error: "no" }],
    ["is something else", 200, { up: true }],
])("what %s tells nothing, and is asked again", async (_, code, body) => {
    const asked = await asking(code, body, async (operatorUrl) => {
        const context = makeContext(() => undefined);
        expect(await context.contractOf({ operatorUrl })).toBeUndefined();
        expect(await context.contractOf({ operatorUrl })).toBeUndefined();
    });
    expect(asked).toHaveLength(2);
});

test.each(["null", "[]", '"ready"', "<html>", ""])("%s is no answer of a server", (text) => {
    expect(contractIn(text)).toBeUndefined();
});

test("where nobody listens there is no answer", async () => {
    const context = makeContext(() => undefined);
    expect(await context.contractOf({ operatorUrl: "http://127.0.0.1:1" })).toBeUndefined();
});
