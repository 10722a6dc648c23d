import { Agent, request } from "undici";

import { contractIn } from "../../contract/number";
import { publicOperations } from "../../contract/operator";

/** Which contract a bootstrap server has, and where it was asked. */
export interface ServerContract {
    readonly url: string;
    readonly number: number;
}

/** How long a server is waited for, in milliseconds. */
const patienceMs = 10_000;

/** What servers answered or are asked, by how they are reached: all resources of a process share it. */
const answers = new Map<string, Promise<ServerContract | undefined>>();

/** Asks a server for its contract. Undefined when it does not say; then it is asked again the next time. */
export function serverContract(
    url: string,
    caPem: string | undefined,
): Promise<ServerContract | undefined> {
    const key = JSON.stringify([url, caPem]);
    const known = answers.get(key);
    if (known !== undefined) {
        return known;
    }
    const answer = ask(url, caPem)
        .catch(() => undefined)
        .then((number) => {
            if (number !== undefined) {
                return { url, number };
            }
            answers.delete(key);
            return undefined;
        });
    answers.set(key, answer);
    return answer;
}

async function ask(url: string, caPem: string | undefined): Promise<number | undefined> {
    const dispatcher = new Agent({
        connect: { timeout: patienceMs, ...(caPem === undefined ? {} : { ca: caPem }) },
    });
    try {
        const { path } = publicOperations.getReadiness;
        const signal = AbortSignal.timeout(patienceMs);
        const { body } = await request(url.replace(/\/+$/, "") + path, { dispatcher, signal });
        return contractIn(await body.text());
    } finally {
        await dispatcher.destroy();
    }
}
