// Asks one URL as fast as it is answered, over some connections, one request at a time on each.
import { createHistogram } from "node:perf_hooks";

import { Pool } from "undici";

import { answer, argument } from "./processes";

/** What to ask for, how long. */
export interface LoadOptions {
    url: string;
    path: string;
    caPem: string;
    /** Bearer tokens, one for each connection. */
    tokens: readonly string[];
    /** Sent as If-None-Match. */
    etag?: string;
    expectedStatus: number;
    /** Bytes of every body. */
    expectedBytes: number;
    warmUpSeconds: number;
    seconds: number;
}

/** What came of it. */
export interface LoadFigures {
    perSecond: number;
    /** Answers, those of the warm-up included. */
    answers: number;
    p50: number;
    p99: number;
    wrong: number;
}

const options = argument<LoadOptions>();
const { url, path, caPem, tokens, etag, expectedStatus, expectedBytes } = options;
const latencies = createHistogram();
let wrong = 0;
let answers = 0;
let answered = 0;

const begin = process.hrtime.bigint();
const warm = begin + BigInt(options.warmUpSeconds * 1e9);
const end = warm + BigInt(options.seconds * 1e9);

async function askOn(token: string): Promise<void> {
    const pool = new Pool(url, { connections: 1, pipelining: 1, connect: { ca: caPem } });
    const headers = {
        authorization: `Bearer ${token}`,
        ...(etag === undefined ? {} : { "if-none-match": etag }),
    };
    for (;;) {
        const started = process.hrtime.bigint();
        if (started >= end) {
            break;
        }
        const { statusCode, body } = await pool.request({ method: "GET", path, headers });
        let bytes = 0;
        for await (const chunk of body as AsyncIterable<Buffer>) {
            bytes += chunk.length;
        }
        const now = process.hrtime.bigint();
        answers += 1;
        if (statusCode !== expectedStatus || bytes !== expectedBytes) {
            wrong += 1;
        }
        if (started < warm || now > end) {
            continue;
        }
        answered += 1;
        latencies.record(now - started);
    }
    await pool.close();
}

void Promise.all(tokens.map(askOn)).then(() => {
    const milliseconds = (percentile: number) => latencies.percentile(percentile) / 1e6;
    const figures: LoadFigures = {
        answers,
        perSecond: answered / options.seconds,
        p50: milliseconds(50),
        p99: milliseconds(99),
        wrong,
    };
    answer(figures);
});
