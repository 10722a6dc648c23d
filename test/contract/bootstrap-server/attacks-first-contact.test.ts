import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { sql } from "kysely";

import type { RefusalReason } from "../../../bootstrap-server/src/verify/verifier";
import type { VerifierMode } from "../../../contract/verifier";
import { isFull } from "../../support/sample";
import { leaks } from "../../support/secrets";
import { orgId } from "./support/excloud-stand-in";
import { fields, Guarded, pathOf, proxy, stranger } from "./support/guarded";
import type { Answer } from "./support/harness";

/** An attack on a first bundle, and the reason the audit gives: one for both modes, or one each. */
type Attack = [
    name: string,
    reason: RefusalReason | Record<VerifierMode, RefusalReason>,
    send: (field: Guarded) => Promise<Answer>,
];

/** The first factor is not the right one. */
const forged = { selfHosted: "slot_secret_mismatch", excloud: "imds_token_unknown" } as const;
/** The first factor is one of another VM. */
const foreign = { selfHosted: "slot_secret_mismatch", excloud: "other_vm" } as const;

const factors: Attack[] = [
    ["no factor", "missing_factor", (f) => f.ask(f.open, { token: undefined, headers: {} })],
    ["no first factor", "missing_factor", (f) => f.ask(f.open, { headers: {} })],
    ["no access token", "missing_factor", (f) => f.ask(f.open, { token: undefined })],
    [
        "an empty first factor",
        "missing_factor",
        (f) => f.ask(f.open, { headers: f.factor(f.open, "") }),
    ],
    [
        "the first factor twice",
        "missing_factor",
        (f) => {
            const right = Object.values(f.factor(f.open))[0] as string;
            return f.ask(f.open, { headers: f.factor(f.open, [right, "guess"]) });
        },
    ],
    [
        "two access tokens",
        "missing_factor",
        (f) => {
            const authorization = [`Bearer ${f.open.accessToken}`, "Bearer guess"];
            return f.ask(f.open, {
                token: undefined,
                headers: { ...f.factor(f.open), authorization },
            });
        },
    ],
    [
        "an access token by another scheme",
        "missing_factor",
        (f) => {
            const authorization = `Basic ${f.open.accessToken}`;
            return f.ask(f.open, {
                token: undefined,
                headers: { ...f.factor(f.open), authorization },
            });
        },
    ],
    ["a forged first factor", forged, (f) => f.ask(f.open, { headers: f.factor(f.open, "guess") })],
    [
        "half of the first factor",
        forged,
        (f) => {
            const right = Object.values(f.factor(f.open))[0] as string;
            return f.ask(f.open, { headers: f.factor(f.open, right.slice(0, -1)) });
        },
    ],
    ["a forged access token", "access_token_rejected", (f) => f.ask(f.open, { token: "guess" })],
    [
        "an agent token as access token",
        "access_token_rejected",
        (f) => f.ask(f.open, { token: f.open.agentToken }),
    ],
    [
        "the operator token as access token",
        "access_token_rejected",
        (f) => f.ask(f.open, { token: f.operatorToken }),
    ],
    [
        "a user's access token",
        "not_a_machine",
        (f) => {
            f.excloud.principals.set("a-user", { org_id: orgId, kind: "user" });
            return f.ask(f.open, { token: "a-user" });
        },
    ],
    [
        "a machine of another organisation",
        "other_organisation",
        (f) => {
            f.excloud.principals.set("foreign", { org_id: orgId + 1, kind: "machine" });
            return f.ask(f.open, { token: "foreign" });
        },
    ],
    [
        "the access token of another VM",
        "other_vm",
        (f) => f.ask(f.open, { token: f.other.accessToken }),
    ],
    [
        "the first factor of another VM",
        foreign,
        (f) => f.ask(f.open, { headers: f.factor(f.other) }),
    ],
    ["both factors of another VM", foreign, (f) => f.ask(f.other, {}, pathOf(f.open))],
    ["both factors of a VM without a slot", forgedOrUnbound(), (f) => f.ask(f.unbound)],
    ["a VM that the slot had before", forgedOrUnbound(), (f) => f.ask(f.replaced)],
    [
        "the right factors for a VM that is none",
        foreign,
        (f) => f.ask(f.open, {}, pathOf(f.open, 999_999)),
    ],
    ["again after ready and grace", "slot_closed", (f) => f.ask(f.closed)],
    [
        "while Excloud does not answer",
        "excloud_unavailable",
        async (f) => {
            f.excloud.outage = 503;
            const answer = await f.ask(f.open);
            f.excloud.outage = undefined;
            return answer;
        },
    ],
];

/** Who is right in everything but has no slot: self-hosted its secret is nobody's. */
function forgedOrUnbound(): Record<VerifierMode, RefusalReason> {
    return { selfHosted: "slot_secret_mismatch", excloud: "vm_not_bound" };
}

/** Sessions of the cloud's own table, in mode excloud. */
const sessions: Attack[] = [
    [
        "an expired session token",
        "imds_token_expired",
        async (f) => {
            await f.session("expired", f.open.vmId, orgId, "2020-01-01T00:00:00Z");
            return f.ask(f.open, { headers: f.factor(f.open, "expired") });
        },
    ],
    [
        "a session token of another organisation",
        "other_organisation",
        async (f) => {
            await f.session("foreign", f.open.vmId, orgId + 1);
            return f.ask(f.open, { headers: f.factor(f.open, "foreign") });
        },
    ],
    [
        "both factors of another organisation, which has the VM's number in its table",
        "other_organisation",
        async (f) => {
            await f.session("foreign", f.open.vmId, orgId + 1);
            f.excloud.principals.set("foreign", { org_id: orgId + 1, kind: "machine" });
            const headers = f.factor(f.open, "foreign");
            return f.ask(f.open, { token: "foreign", headers });
        },
    ],
    [
        "the hash of a session token in place of the token",
        "imds_token_unknown",
        async (f) => {
            const { rows } = await sql<{ hash: string }>`SELECT hash FROM imds_tokens
                WHERE vm_id = ${f.open.vmId}`.execute(f.harness.server.db);
            return f.ask(f.open, { headers: f.factor(f.open, rows[0]?.hash) });
        },
    ],
    [
        "a slot secret in place of the session token",
        "missing_factor",
        (f) => f.ask(f.open, { headers: f.open.factors }),
    ],
];

/** A header that claims another source than the connection's. */
function claiming(name: string, from: string, headers: Record<string, string | string[]>): Attack {
    return [
        name,
        "source_address_mismatch",
        (f) => f.ask(f.open, { from, headers: { ...f.factor(f.open), ...headers } }),
    ];
}

const sources: Attack[] = [
    claiming("another address", stranger, {}),
    claiming("X-Forwarded-For by no proxy", stranger, { "x-forwarded-for": "127.0.0.1" }),
    claiming("X-Forwarded-For through a proxy's name", stranger, {
        "x-forwarded-for": `127.0.0.1, ${proxy}`,
    }),
    claiming("X-Real-IP", stranger, { "x-real-ip": "127.0.0.1" }),
    claiming("Forwarded", stranger, { forwarded: "for=127.0.0.1" }),
    claiming("the proxy itself", proxy, {}),
    claiming("X-Real-IP through the proxy", proxy, { "x-real-ip": "127.0.0.1" }),
    claiming("a left-most address before the one that the proxy saw", proxy, {
        "x-forwarded-for": `127.0.0.1, ${stranger}`,
    }),
    claiming("the proxy's header after one of the client's", proxy, {
        "x-forwarded-for": ["127.0.0.1", stranger],
    }),
    claiming("an address with a port", proxy, { "x-forwarded-for": "127.0.0.1:443" }),
    claiming("an address with a zone", proxy, { "x-forwarded-for": "127.0.0.1%lo" }),
    claiming("a range for an address", proxy, { "x-forwarded-for": "127.0.0.0/8" }),
    claiming("SQL for an address", proxy, { "x-forwarded-for": "' OR vm_ip <> '" }),
    claiming("a long text for an address", proxy, { "x-forwarded-for": "1".repeat(5000) }),
];

/** What stands for the VM's id in the path, with both factors right. */
const ids: Record<string, (vmId: number) => string> = {
    "in hex": (id) => `0x${id.toString(16)}`,
    "with an exponent": (id) => `${id}e0`,
    "as float": (id) => `${id}.0`,
    "with plus": (id) => `+${id}`,
    negative: (id) => `-${id}`,
    "with leading zero": (id) => `0${id}`,
    "with a space": (id) => `${id}%20`,
    "with a line feed": (id) => `${id}%0a`,
    "with NUL": (id) => `${id}%00`,
    "with a parameter": (id) => `${id};x=1`,
    twice: (id) => `${id},${id}`,
    zero: () => "0",
    empty: () => "",
    "beyond 53 bits": () => "9007199254740993",
    "of 500 digits": () => "9".repeat(500),
    "of 8000 digits": () => "9".repeat(8000),
    "in full-width digits": (id) =>
        encodeURIComponent(
            [...String(id)].map((d) => String.fromCharCode(0xff10 + Number(d))).join(""),
        ),
    "in Arabic digits": (id) =>
        encodeURIComponent(
            [...String(id)].map((d) => String.fromCharCode(0x660 + Number(d))).join(""),
        ),
    "a word of JavaScript": () => "__proto__",
    dots: () => "..",
    "encoded dots": () => "%2e%2e",
    "up and down again": (id) => `x/../${id}`,
    "up and down again, encoded": (id) => `x%2f%2e%2e%2f${id}`,
    "with a slash": (id) => `${id}/`,
    "with an encoded slash": (id) => `${id}%2f`,
    "with a backslash": (id) => `${id}%5c`,
    "with more path": (id) => `${id}/files`,
    "encoded twice": (id) => `%25${id.toString().charCodeAt(0).toString(16)}${id}`,
    "half of an escape": (id) => `${id}%`,
    "no UTF-8": (id) => `${id}%ff`,
    "overlong UTF-8": (id) => `${id}%c0%80`,
    SQL: (id) => encodeURIComponent(`${id} OR 1=1`),
};
const paths: Attack[] = [
    ...Object.entries(ids).map(([name, id]): Attack => [
        `an id ${name}`,
        "malformed_request",
        (f) => f.ask(f.open, {}, pathOf(f.open, id(f.open.vmId))),
    ]),
    ...["", "/", "/control-plane", "/%ff", "/../health"].map((path): Attack => [
        `the path /bootstrap${path}`,
        "malformed_request",
        (f) => f.ask(f.open, {}, `/bootstrap${path}`),
    ]),
    ...["worker", "Control-Plane", "*", "..%2fagent", "control-plane%00", "__proto__"].map(
        (role): Attack => [
            `the role ${role}`,
            "other_role",
            (f) => f.ask(f.open, {}, `/bootstrap/${role}/${f.open.vmId}`),
        ],
    ),
];

const methods: Attack[] = [
    ...(["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] as const).map(
        (method): Attack => [
            `the method ${method}`,
            "malformed_request",
            (f) => f.ask(f.open, { method }),
        ],
    ),
    [
        "POST that wants to be GET",
        "malformed_request",
        (f) => {
            const headers = { ...f.factor(f.open), "x-http-method-override": "GET" };
            return f.ask(f.open, { method: "POST", headers });
        },
    ],
    [
        "POST of 20 MiB",
        "malformed_request",
        (f) => f.ask(f.open, { method: "POST", text: " ".repeat(20 * 1024 * 1024) }),
    ],
    [
        "POST of a text that is no JSON",
        "malformed_request",
        (f) => f.ask(f.open, { method: "POST", text: "{" }),
    ],
];

/** An answer without what differs between any two: date, request id, and what the client wished. */
function comparable({ status, headers, body }: Answer) {
    const { date: _date, connection: _connection, "keep-alive": _keepAlive, ...rest } = headers;
    return { status, headers: rest, body: { error: { ...body?.error, request_id: "" } } };
}

interface AuditRow {
    id: number;
    request_id: string;
    decision: string;
    reason: string;
}

describe.each(fields)("first contact, $mode on $store", ({ store, mode }) => {
    const field = new Guarded(store, mode);
    let refusal: ReturnType<typeof comparable>;
    beforeAll(async () => {
        await field.start();
        refusal = comparable(await field.ask(field.open, { token: undefined, headers: {} }));
        expect(refusal).toMatchObject({
            status: 401,
            body: { error: { code: "bootstrap.node.refused" } },
        });
    });
    afterAll(() => field.stop());

    const auditAfter = async (id: number): Promise<AuditRow[]> =>
        field.harness.server.db
            .selectFrom("bootstrap_audit")
            .select(["id", "request_id", "decision", "reason"])
            .where("id", ">", id)
            .orderBy("id")
            .execute();

    const attacks = [
        ...factors,
        ...(mode === "excloud" ? sessions : []),
        ...sources,
        // No mode and no store has a part in these.
        ...(isFull || (store === "PGlite") === (mode === "selfHosted")
            ? [...paths, ...methods]
            : []),
    ];
    test.each(attacks)("%s", async (name, reason, send) => {
        const last = (await auditAfter(0)).at(-1)?.id ?? 0;
        const logged = field.harness.log.length;
        const answer = await send(field);

        const answered = comparable(answer);
        if (name === "the method HEAD") {
            expect(answer.body).toBeUndefined();
            answered.body = refusal.body;
        }
        expect(answered).toEqual(refusal);
        const why = typeof reason === "string" ? reason : reason[mode];
        const rows = await auditAfter(last);
        expect(rows).toMatchObject([{ decision: "refused", reason: why }]);
        if (answer.body) {
            expect(rows[0]?.request_id).toBe(answer.body.error.request_id);
        }
        const lines = field.harness.log.slice(logged);
        const audited = lines
            .map((line) => JSON.parse(line) as { audit?: Partial<AuditRow> })
            .flatMap(({ audit }) => audit ?? []);
        expect(audited).toMatchObject([{ decision: "refused", reason: why }]);
        expect(leaks(field.secrets, [{ name: "the log", text: lines.join("") }])).toEqual([]);
    });

    test("who was attacked is served as before", async () => {
        expect((await field.open.bundle()).status).toBe(200);
        expect((await field.ask(field.open)).status).toBe(200);
        const through = { ...field.factor(field.open), "x-forwarded-for": "127.0.0.1" };
        expect((await field.ask(field.open, { from: proxy, headers: through })).status).toBe(200);
    });
});
