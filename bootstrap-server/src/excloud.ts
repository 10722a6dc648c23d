import { request } from "undici";

import { messageOf } from "./errors";

/** How long one call to Excloud may take, in milliseconds. */
const timeoutMs = 10_000;

/** Whom a token belongs to, as IAM tells. */
export interface Principal {
    orgId: number;
    kind: string;
    /** The VM a machine's token was issued to, where IAM tells. */
    vmId?: number;
}

/** A call to Excloud that gave no usable answer: network, timeout, a 5xx, or an unreadable body. */
export class ExcloudUnavailable extends Error {
    constructor(call: string, seen: string) {
        super(`${call}: ${seen}`);
        this.name = "ExcloudUnavailable";
    }
}

/** The part of Excloud's API that the server needs. */
export interface Excloud {
    /** Whom a token belongs to; undefined when Excloud refuses the token. */
    me(token: string): Promise<Principal | undefined>;
    /** Every private and public address of a VM; undefined when there is no such VM. */
    vmAddresses(vmId: number): Promise<string[] | undefined>;
}

/** Where Excloud is, and the server's own credential. */
export interface ExcloudOptions {
    iamBaseUrl: string;
    computeBaseUrl: string;
    apiKey: string;
}

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Ids arrive as numbers or as decimal text. */
function asId(value: unknown): number | undefined {
    const id = typeof value === "string" && /^[0-9]{1,15}$/.test(value) ? Number(value) : value;
    return typeof id === "number" && Number.isSafeInteger(id) && id > 0 ? id : undefined;
}

async function get(
    service: string,
    url: string,
    token: string,
): Promise<{ status: number; body: unknown }> {
    try {
        const response = await request(url, {
            headers: { authorization: `Bearer ${token}`, accept: "application/json" },
            headersTimeout: timeoutMs,
            bodyTimeout: timeoutMs,
            signal: AbortSignal.timeout(timeoutMs),
        });
        const text = await response.body.text();
        if (response.statusCode >= 300) {
            return { status: response.statusCode, body: undefined };
        }
        return { status: response.statusCode, body: JSON.parse(text) as unknown };
    } catch (error) {
        throw new ExcloudUnavailable(service, messageOf(error));
    }
}

/** Reads an answer of IAM's `me`, whose exact form is not documented. */
function readPrincipal(body: unknown): Principal {
    const orgId = isObject(body) ? asId(body["org_id"]) : undefined;
    if (!isObject(body) || orgId === undefined) {
        throw new ExcloudUnavailable("IAM me", "the answer names no org_id");
    }
    const kind = typeof body["kind"] === "string" ? body["kind"].toLowerCase() : "";
    const vmId = asId(body["vm_id"]);
    return { orgId, kind, ...(vmId === undefined ? {} : { vmId }) };
}

/** Field names under which computeapi gives an address, of the VM itself or of an interface. */
const addressFields = [
    "interface_ipv4",
    "interface_ipv6",
    "private_ipv4",
    "public_ipv4",
    "ipv4",
    "ipv6",
];

function readAddresses(body: unknown): string[] {
    if (!isObject(body)) {
        throw new ExcloudUnavailable("computeapi", "the answer is no VM");
    }
    const interfaces = Array.isArray(body["interfaces"]) ? (body["interfaces"] as unknown[]) : [];
    return [body, ...interfaces.filter(isObject)]
        .flatMap((holder) => addressFields.map((field) => holder[field]))
        .filter((value) => typeof value === "string")
        .map((value) => value.split("/", 1)[0] as string);
}

/** The client of Excloud's IAM and computeapi. */
export function excloudClient(options: ExcloudOptions): Excloud {
    const iam = options.iamBaseUrl.replace(/\/+$/, "");
    const compute = options.computeBaseUrl.replace(/\/+$/, "");
    return {
        async me(token) {
            const { status, body } = await get("IAM me", `${iam}/me`, token);
            if (status === 401 || status === 403) {
                return undefined;
            }
            if (status !== 200) {
                throw new ExcloudUnavailable("IAM me", `status ${status}`);
            }
            return readPrincipal(body);
        },
        async vmAddresses(vmId) {
            const { status, body } = await get(
                "computeapi",
                `${compute}/compute/${vmId}`,
                options.apiKey,
            );
            if (status === 404) {
                return undefined;
            }
            if (status !== 200) {
                throw new ExcloudUnavailable("computeapi", `status ${status}`);
            }
            return readAddresses(body);
        },
    };
}
