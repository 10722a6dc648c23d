import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, describe, expect, test } from "@jest/globals";

import { makeClient } from "../../../provider/api/client";
import { operations } from "../../../provider/api/operations";
import { defaultPatience, type Patience, retryAfterOf } from "../../../provider/api/retry";
import { ApiError } from "../../../provider/errors";

// The client against a server that answers as each test says.

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server | undefined;
let seen: { line: string; body: string; authorization: string | undefined }[];

afterEach(
    () => new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve())),
);

const answer =
    (status: number, body: unknown): Answer =>
    (_, response) => {
        response.writeHead(status);
        response.end(typeof body === "string" ? body : JSON.stringify(body));
    };
/** "Come back later", in the words of RFC 9110. */
const later =
    (retryAfter: string): Answer =>
    (_, response) => {
        response.writeHead(503, { "retry-after": retryAfter });
        response.end();
    };
const silence: Answer = () => undefined;
const reset: Answer = (request) => request.socket.destroy();

/** A client of a server that gives the answers one after the other, the last one for ever. */
const clientOf = (...answers: Answer[]) => patientClient({}, ...answers);

/** The same, with another patience than that of these tests. */
async function patientClient(patience: Partial<Patience>, ...answers: Answer[]) {
    seen = [];
    server = createServer((request, response) => {
        let body = "";
        request.on("data", (chunk: Buffer) => (body += chunk.toString()));
        request.on("end", () => {
            seen.push({
                line: `${request.method} ${request.url}`,
                body,
                authorization: request.headers.authorization,
            });
            const next = answers[Math.min(seen.length, answers.length) - 1] as Answer;
            next(request, response);
        });
    });
    await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    return makeClient(operations, {
        baseUrls: { compute: base, dns: base, iam: base },
        token: () => "the-token",
        credentialName: "set EXCLOUD_API_KEY",
        patience: {
            ...defaultPatience,
            maxRetries: 2,
            firstPauseMs: 20,
            silence: 300,
            ...patience,
        },
    });
}
const failureOf = async (call: Promise<unknown>): Promise<ApiError> => {
    const error = await call.then(
        () => undefined,
        (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(ApiError);
    return error as ApiError;
};
const group = { name: "g" };

describe("a call", () => {
    test("puts path, query and body where the table says, with the token", async () => {
        const call = await clientOf(answer(200, []));
        await call("ruleList", { security_group_id: 7 });
        await call("vmTerminate", { vm_id: 5, delete_root_volume: true });
        await call("vmGet", { vm_id: "a/b" });
        expect(seen).toEqual([
            {
                line: "GET /securitygroup/rule/list?security_group_id=7",
                body: "",
                authorization: "Bearer the-token",
            },
            expect.objectContaining({
                line: "POST /compute/terminate",
                body: '{"vm_id":5,"delete_root_volume":true}',
            }),
            expect.objectContaining({ line: "GET /compute/a%2Fb" }),
        ]);
    });
});

describe("an idempotent call", () => {
    test.each([429, 502, 503, 504])("is tried again after %i", async (status) => {
        const call = await clientOf(answer(status, ""), answer(200, []));
        expect(await call("imageList")).toEqual([]);
        expect(seen).toHaveLength(2);
    });

    test("is tried again after a lost connection, a bounded number of times", async () => {
        const call = await clientOf(reset);
        const error = await failureOf(call("imageList"));
        expect(seen).toHaveLength(3);
        expect(error.message).toMatch(
            /^GET http:.*\/image\/list got no answer: .*Next: check that/,
        );
    });
});

describe("Retry-After", () => {
    test("is waited for", async () => {
        const call = await clientOf(later("1"), answer(200, []));
        const before = Date.now();
        await call("imageList");
        expect(Date.now() - before).toBeGreaterThanOrEqual(1_000);
    });

    test("that asks for too much ends the call", async () => {
        const call = await clientOf(later("3600"), answer(200, []));
        expect((await failureOf(call("imageList"))).status).toBe(503);
        expect(seen).toHaveLength(1);
    });

    test.each([
        ["seconds", "7", 7_000],
        ["a date gone by", "Wed, 21 Oct 2015 07:28:00 GMT", 0],
        ["nonsense", "soon", undefined],
    ])("may be %s", (_, text, expected) => {
        expect(retryAfterOf({ "retry-after": text })).toBe(expected);
    });
});

describe("silence", () => {
    test("is taken for a lost answer: an idempotent call is tried again", async () => {
        const call = await clientOf(silence, answer(200, []));
        expect(await call("imageList")).toEqual([]);
        expect(seen).toHaveLength(2);
    });

    test("ends a creating call, whose outcome is not known then", async () => {
        const call = await clientOf(silence);
        const error = await failureOf(call("securityGroupCreate", group));
        expect(error.hasUnknownOutcome).toBe(true);
        expect(seen).toHaveLength(1);
    });

    test("ends every call in its time, with all its repetitions", async () => {
        const call = await patientClient({ maxRetries: 1_000, wholeCall: 700 }, reset);
        const error = await failureOf(call("imageList"));
        expect(error.message).toMatch(/got no answer: .*Next: check that/);
    });
});

describe("a creating call", () => {
    test("is not repeated when its outcome is unknown", async () => {
        const unreadable = answer(200, "<html>");
        for (const unknown of [
            reset,
            ...[500, 502, 503, 504].map((s) => answer(s, "")),
            unreadable,
        ]) {
            const call = await clientOf(unknown);
            const error = await failureOf(call("securityGroupCreate", group));
            expect(error.hasUnknownOutcome).toBe(true);
            expect(seen).toHaveLength(1);
            await new Promise((resolve) => server?.close(resolve));
        }
    });

    test("is repeated when the server said that it did nothing", async () => {
        const made = { id: 1, name: "g", description: "" };
        const call = await clientOf(answer(429, ""), answer(200, made));
        expect(await call("securityGroupCreate", group)).toEqual(made);
        expect(seen).toHaveLength(2);
    });
});

describe("an error", () => {
    const envelope = {
        error: { code: "compute.instance.not_found", message: "no such VM", request_id: "01J" },
    };

    test("names the call, what was seen, and the request", async () => {
        const error = await failureOf(
            (await clientOf(answer(404, envelope)))("vmGet", { vm_id: 9 }),
        );
        expect(error.message).toMatch(
            /^GET http:\/\/127.0.0.1:\d+\/compute\/9 answered 404 \(compute.instance.not_found\): no such VM \[request 01J\]\. Next: /,
        );
        expect(error).toMatchObject({ isNotFound: true, hasUnknownOutcome: false });
    });

    test.each([
        ["a plain text", "<html>bad</html>", "<html>bad</html>"],
        ["an error text", { error: "quota" }, "quota"],
        ["a message", { message: "nope" }, "nope"],
    ])("is read from %s too", async (_, body, expected) => {
        const error = await failureOf((await clientOf(answer(400, body)))("imageList"));
        expect(error.message).toContain(`answered 400: ${expected}`);
    });

    test("says what to do about a refused token, and never shows it", async () => {
        const error = await failureOf((await clientOf(answer(401, envelope)))("imageList"));
        expect(error.message).toContain("missing, wrong or expired; set EXCLOUD_API_KEY");
        expect(error.message).not.toContain("the-token");
    });

    test("is given when the answer is not JSON", async () => {
        const error = await failureOf((await clientOf(answer(200, "<html>")))("imageList"));
        expect(error.message).toContain("the answer is not JSON");
    });
});
