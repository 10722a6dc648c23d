import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { expect, test } from "@jest/globals";

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
        expect(await Promise.all(numbers)).toEqual([7, 7, 7]);
        expect(await makeContext(() => undefined).contractOf({ operatorUrl })).toBe(7);
    });
    expect(asked).toEqual(["GET /ready"]);
});

test("one that tells no number has the first", async () => {
    await asking(200, { status: "ready" }, async (operatorUrl) => {
        expect(await makeContext(() => undefined).contractOf({ operatorUrl })).toBe(1);
    });
});

test.each([
    ["refuses", 404],
    ["drains", 503],
    ["fails", 500],
])("one that %s tells nothing, and is not asked again", async (_, status) => {
    const asked = await asking(status, {}, async (operatorUrl) => {
        const context = makeContext(() => undefined);
        expect(await context.contractOf({ operatorUrl })).toBeUndefined();
        expect(await context.contractOf({ operatorUrl })).toBeUndefined();
    });
    expect(asked).toHaveLength(1);
});

test("nor does one that is not there", async () => {
    const context = makeContext(() => undefined);
    expect(await context.contractOf({ operatorUrl: "http://127.0.0.1:1" })).toBeUndefined();
});
