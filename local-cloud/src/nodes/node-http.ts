import { Agent, request } from "undici";

/** An answer, whatever its status. */
export interface HttpAnswer {
    readonly status: number;
    readonly text: string;
}

/** One request of a node. */
export interface HttpCall {
    readonly method?: "GET" | "POST" | "PUT" | "DELETE";
    readonly headers?: Readonly<Record<string, string>>;
    readonly body?: unknown;
}

/**
 * HTTP as a node speaks it: every connection comes from the node's own address, by which IMDS and
 * the bootstrap server know it.
 */
export class NodeHttp {
    private readonly agent: Agent;

    /** `caPem`: the only CA to trust; empty for the public ones. */
    constructor(
        address: string,
        caPem: string,
        private readonly signal: AbortSignal,
    ) {
        this.agent = new Agent({
            localAddress: address,
            connect: {
                family: 4,
                ...(caPem === "" ? {} : { ca: caPem }),
            },
        });
    }

    async call(
        url: string,
        { method = "GET", headers = {}, body }: HttpCall = {},
    ): Promise<HttpAnswer> {
        const response = await request(url, {
            dispatcher: this.agent,
            method,
            signal: this.signal,
            headersTimeout: 30_000,
            bodyTimeout: 30_000,
            headers:
                body === undefined ? headers : { ...headers, "content-type": "application/json" },
            body: body === undefined ? null : JSON.stringify(body),
        });
        return { status: response.statusCode, text: await response.body.text() };
    }

    async close(): Promise<void> {
        await this.agent.destroy();
    }
}
