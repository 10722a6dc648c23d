import { once } from "node:events";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { connectionLimits } from "../../../bootstrap-server/src/limits";
import { isFull } from "../../support/sample";
import { leaks } from "../../support/secrets";
import { Guarded, pathOf } from "./support/guarded";
import { answersIn, openSocket, sendRaw, untilEnd } from "./support/raw";

/**
 * Bytes over TLS that are no good request, whatever they carry. Neither store nor mode has a part in
 * it, so one of each stands for all.
 */
const field = new Guarded("PGlite", "selfHosted");
beforeAll(() => field.start());
afterAll(() => field.stop());

const line = (...lines: string[]): string => `${lines.join("\r\n")}\r\n`;

/** The head of a first contact that is in order, without its end. */
function head(method = "GET", path = pathOf(field.open)): string {
    const { accessToken } = field.open;
    const factor = Object.entries(field.factor(field.open)).map(
        ([name, value]) => `${name}: ${String(value)}`,
    );
    return line(
        `${method} ${path} HTTP/1.1`,
        "Host: x",
        `Authorization: Bearer ${accessToken}`,
        ...factor,
    );
}

/** The same for a request of the operator with a body. */
function operatorHead(): string {
    const { operatorToken } = field;
    return line(
        "POST /v1/clusters HTTP/1.1",
        "Host: x",
        `Authorization: Bearer ${operatorToken}`,
        "Content-Type: application/json",
    );
}

const body = JSON.stringify({ key: "smuggled" });
const chunked = `${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`;

/** What Node's parser must not take, by the status it gets; the connection ends with it. */
const malformed: [name: string, status: number, bytes: () => string][] = [
    ["a header that is continued on a second line", 400, () => head() + line(" folded", "")],
    [
        "a folded Authorization",
        400,
        () => line("GET / HTTP/1.1", "Host: x", "Authorization:", " Bearer x", ""),
    ],
    ["NUL in a header", 400, () => head() + line("X-A: a\0b", "")],
    ["NUL in a header's name", 400, () => head() + line("X-\0A: a", "")],
    ["a space before the colon", 400, () => head() + line("Content-Length : 5", "", "12345")],
    ["a bare CR in a header", 400, () => head() + "X-A: a\rX-B: b\r\n\r\n"],
    [
        "two lengths",
        400,
        () =>
            operatorHead() + line(`Content-Length: ${body.length}`, "Content-Length: 0", "") + body,
    ],
    [
        "two lengths in one header",
        400,
        () => operatorHead() + line(`Content-Length: ${body.length}, 0`, "") + body,
    ],
    ["a negative length", 400, () => operatorHead() + line("Content-Length: -1", "") + body],
    [
        "a length with plus",
        400,
        () => operatorHead() + line(`Content-Length: +${body.length}`, "") + body,
    ],
    [
        "chunks and a length",
        400,
        () =>
            operatorHead() +
            line("Transfer-Encoding: chunked", `Content-Length: ${body.length}`, "") +
            chunked,
    ],
    [
        "a length and chunks",
        400,
        () =>
            operatorHead() +
            line(`Content-Length: ${body.length}`, "Transfer-Encoding: chunked", "") +
            chunked,
    ],
    [
        "chunks that are not the last encoding",
        400,
        () => operatorHead() + line("Transfer-Encoding: chunked, identity", "") + chunked,
    ],
    [
        "an encoding that is none",
        400,
        () => operatorHead() + line("Transfer-Encoding: xchunked", "") + chunked,
    ],
    [
        "a chunk of a wrong length",
        400,
        () => operatorHead() + line("Transfer-Encoding: chunked", "") + `1\r\n${body}\r\n0\r\n\r\n`,
    ],
    ["a method that is none", 400, () => head("GET\0")],
    ["HTTP/2", 400, () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["a version that is none", 400, () => line("GET /health HTTP/9.9", "Host: x", "")],
    ["a line of TLS within TLS", 400, () => "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
    ["headers of 64 KiB", 431, () => head() + line(`X-A: ${"a".repeat(64 * 1024)}`, "")],
    [
        "64 KiB of many headers",
        431,
        () => head() + line(...Array.from({ length: 4000 }, (_, n) => `X-${n}: 12345678`), ""),
    ],
    ["a path of 64 KiB", 431, () => head("GET", `/${"a".repeat(64 * 1024)}`) + line("")],
];

const audited = async (): Promise<number> => {
    const { count } = await field.harness.server.db
        .selectFrom("bootstrap_audit")
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .executeTakeFirstOrThrow();
    return count;
};

test.each(malformed)("%s is no request", async (_name, status, bytes) => {
    const [rows, logged] = [await audited(), field.harness.log.length];
    const answers = await sendRaw(field.harness, bytes());
    expect(answers.map((answer) => answer.status)).toEqual([status]);
    expect(JSON.parse(answers[0]!.body)).toEqual({
        error: {
            code: "bootstrap.request.invalid",
            message: expect.any(String),
            request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        },
    });
    expect(await audited()).toBe(rows);
    const lines = field.harness.log.slice(logged);
    expect(lines.filter((one) => one.includes("not a request"))).toHaveLength(1);
    expect(leaks(field.secrets, [{ name: "the log", text: lines.join("") }])).toEqual([]);
    expect(
        (await field.harness.operator("/v1/clusters")).body.clusters.map(({ key }) => key),
    ).not.toContain("smuggled");
});

test("a request within the body of another is not one", async () => {
    const inner = head() + line("");
    const answers = await sendRaw(
        field.harness,
        head("GET", "/health") +
            line(`Content-Length: ${inner.length}`, "Connection: close", "") +
            inner,
    );
    expect(answers).toMatchObject([{ status: 200, body: '{"status":"ok"}' }]);
});

test.each([
    ["Connection: Upgrade", "Upgrade: h2c"],
    ["Connection: Upgrade", "Upgrade: websocket"],
    ["Connection: close, Authorization", "Expect: nothing"],
    ["Connection: close", "Expect: 100-continue"],
])("%s and %s open nothing", async (...headers) => {
    const wrong = head().replace(field.open.accessToken, "guess");
    const socket = await openSocket(field.harness);
    socket.write(wrong + line(...headers, ""));
    const [chunk] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    expect(chunk.toString()).toMatch(/^HTTP\/1\.1 (100|401|417) /);
});

test("who drips headers, and in the full run a body, is cut off while others are served", async () => {
    const drips: [string, string, number][] = [
        [head(), "X-A: a\r\n", connectionLimits.headersTimeout],
        ...(isFull
            ? ([
                  [
                      operatorHead() + line("Content-Length: 60000", ""),
                      " ",
                      connectionLimits.requestTimeout,
                  ],
              ] as [string, string, number][])
            : []),
    ];
    const cutOff = drips.map(async ([start, more]) => {
        const sockets = await Promise.all(
            Array.from({ length: 50 }, () => openSocket(field.harness)),
        );
        const ends = sockets.map(untilEnd);
        for (const socket of sockets) {
            socket.write(start);
        }
        const timer = setInterval(() => {
            for (const socket of sockets) {
                if (socket.writable) {
                    socket.write(more);
                }
            }
        }, 500);
        const texts = await Promise.all(ends);
        clearInterval(timer);
        return texts.map((text) => answersIn(text).map(({ status }) => status));
    });
    let dripping = true;
    const all = Promise.all(cutOff).finally(() => (dripping = false));
    let served = 0;
    while (dripping) {
        expect((await field.ask(field.open)).status).toBe(200);
        served++;
        await new Promise((resolve) => setTimeout(resolve, 250));
    }
    for (const statuses of await all) {
        expect(statuses).toEqual(Array(50).fill([408]));
    }
    expect(served).toBeGreaterThan(10);
});
