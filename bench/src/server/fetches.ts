import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { Agent, request } from "undici";

import { agentOperations, factorHeaders, firstContact } from "#contract/agent";
import { pathOf } from "#contract/operation";
import { controlPlanePool, roleOf } from "#contract/pools";

import { processorTimeOf } from "../processor-time";
import { summarize, type Summary } from "../statistics";
import type { BareOptions } from "./bare";
import type { LoadFigures, LoadOptions } from "./load";
import { Operator } from "./operator";
import { runProcess, type Service, startService } from "./processes";
import { addressOf, secretOf, tokenOf } from "./vms";
import type { Replica } from "./world";

/** What one measurement of a contestant gave. */
interface Measured extends LoadFigures {
    /** Processor time for one answer, in microseconds: of the server, and of the database. */
    processor: number;
    database: number;
}

/** One contestant's answers. */
export interface Rates {
    perSecond: Summary;
    processor: Summary;
    database: Summary;
    p50: Summary;
    p99: Summary;
    wrong: number;
}

/** Bundles fetched by agents, beside the same bytes sent by Node.js alone. */
export interface FetchFigures {
    bundleBytes: number;
    connections: number;
    seconds: number;
    bundle: Rates;
    unchanged: Rates;
    bareHttps: Rates;
    bareHttpsUnchanged: Rates;
    bareHttp: Rates;
    /** Rates within each repeat, server over bare. */
    ratios: { bundle: Summary; unchanged: Summary; bundleToHttp: Summary };
    /** Processor time of the bare server over the server's, without the database. */
    processorRatios: { bundle: Summary; unchanged: Summary; bundleToHttp: Summary };
}

/** An agent that fetches. */
interface Fetcher {
    token: string;
    bundle: string;
    etag: string;
}

/** Boots a VM by a first contact, and fetches its bundle as its agent does from then on. */
async function bootOne(replica: Replica, vmId: number): Promise<Fetcher> {
    const dispatcher = new Agent({ connect: { ca: replica.caPem }, localAddress: addressOf(vmId) });
    const get = async (path: string, headers: Record<string, string>) => {
        const answer = await request(`${replica.url}${path}`, { dispatcher, headers });
        const text = await answer.body.text();
        if (answer.statusCode !== 200) {
            throw new Error(`${path}: ${answer.statusCode} ${text}`);
        }
        return { text, etag: String(answer.headers["etag"]) };
    };
    try {
        const role = roleOf(controlPlanePool);
        const first = await get(pathOf(firstContact, { role, vm_id: vmId }), {
            authorization: `Bearer ${tokenOf(vmId)}`,
            [factorHeaders.selfHosted]: secretOf(vmId),
        });
        const { agent_token: token } = JSON.parse(first.text) as { agent_token: string };
        const { text: bundle, etag } = await get(agentOperations.getBundle.path, {
            authorization: `Bearer ${token}`,
        });
        return { token, bundle, etag };
    } finally {
        await dispatcher.close();
    }
}

function rates(all: readonly Measured[]): Rates {
    return {
        processor: summarize(all.map(({ processor }) => processor)),
        database: summarize(all.map(({ database }) => database)),
        perSecond: summarize(all.map(({ perSecond }) => perSecond)),
        p50: summarize(all.map(({ p50 }) => p50)),
        p99: summarize(all.map(({ p99 }) => p99)),
        wrong: all.reduce((sum, { wrong }) => sum + wrong, 0),
    };
}

/** Measures all contestants in turn, as often as asked for. */
export async function measureFetches(
    replica: Replica,
    databasePid: number,
    operatorToken: string,
    folder: string,
    { repeats, seconds, connections }: { repeats: number; seconds: number; connections: number },
    progress: (line: string) => void,
): Promise<FetchFigures> {
    const operator = new Operator(replica.url, replica.caPem, operatorToken);
    const fetchers: Fetcher[] = [];
    for (let vmId = 1; vmId <= connections; vmId += 1) {
        const [slot] = await operator.register(`bench/fetch/${vmId}`, [vmId]);
        if (slot) {
            await operator.bind(slot);
        }
        fetchers.push(await bootOne(replica, vmId));
    }
    const sample = fetchers[0] as Fetcher;
    const body = join(folder, "bundle.json");
    writeFileSync(body, sample.bundle);
    const bareOptions: BareOptions = { body, etag: sample.etag };
    const https = await startService("./bare", { ...bareOptions, tls: replica.tls });
    const http = await startService("./bare", bareOptions);

    // Ids of clusters are drawn, so bundles differ in length by some digits.
    const ofLength = fetchers.filter(({ bundle }) => bundle.length === sample.bundle.length);
    const tokens = fetchers.map((_, index) => (ofLength[index % ofLength.length] as Fetcher).token);
    const ask = async ({ url, pid }: Service, path: string, etag?: string): Promise<Measured> => {
        const options: LoadOptions = {
            url,
            path,
            caPem: replica.caPem,
            tokens,
            expectedStatus: etag === undefined ? 200 : 304,
            expectedBytes: etag === undefined ? Buffer.byteLength(sample.bundle) : 0,
            warmUpSeconds: Math.min(2, seconds / 2),
            seconds,
            ...(etag === undefined ? {} : { etag, tokens: tokens.map(() => sample.token) }),
        };
        const used = () => [processorTimeOf(pid), processorTimeOf(databasePid)] as const;
        const before = used();
        const figures = await runProcess<LoadFigures>("./load", options);
        const after = used();
        const perAnswer = (which: 0 | 1) =>
            Math.max(0, 1e6 * (after[which] - before[which])) / figures.answers;
        return { ...figures, processor: perAnswer(0), database: perAnswer(1) };
    };
    const contestants = {
        bundle: () => ask(replica, agentOperations.getBundle.path),
        bareHttps: () => ask(https, "/"),
        bareHttp: () => ask(http, "/"),
        unchanged: () => ask(replica, agentOperations.getBundle.path, sample.etag),
        bareHttpsUnchanged: () => ask(https, "/", sample.etag),
    };
    type Name = keyof typeof contestants;
    const measured = {} as Record<Name, Measured[]>;
    try {
        for (let repeat = 1; repeat <= repeats; repeat += 1) {
            for (const name of Object.keys(contestants) as Name[]) {
                const figures = await contestants[name]();
                (measured[name] ??= []).push(figures);
                progress(
                    `${repeat}/${repeats} ${name}: ${figures.perSecond.toFixed(0)} per second`,
                );
            }
        }
    } finally {
        await https.stop();
        await http.stop();
    }
    const ratio = (of: (one: Measured) => number, name: Name, bare: Name) =>
        summarize(
            measured[name].map((one, index) => of(one) / of(measured[bare][index] as Measured)),
        );
    const ratios = (of: (one: Measured) => number) => ({
        bundle: ratio(of, "bundle", "bareHttps"),
        unchanged: ratio(of, "unchanged", "bareHttpsUnchanged"),
        bundleToHttp: ratio(of, "bundle", "bareHttp"),
    });
    return {
        bundleBytes: Buffer.byteLength(sample.bundle),
        connections,
        seconds,
        bundle: rates(measured.bundle),
        unchanged: rates(measured.unchanged),
        bareHttps: rates(measured.bareHttps),
        bareHttpsUnchanged: rates(measured.bareHttpsUnchanged),
        bareHttp: rates(measured.bareHttp),
        ratios: ratios(({ perSecond }) => perSecond),
        processorRatios: ratios(({ processor }) => 1 / processor),
    };
}
