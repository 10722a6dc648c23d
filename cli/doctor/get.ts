import { Agent, request } from "undici";

import { messageOf } from "../../provider/errors";

/** How long an answer is waited for, in milliseconds. */
export const silence = 10_000;

/** What a server answers. */
export interface Answer {
    readonly status: number;
    readonly date: string;
    readonly text: string;
}

/**
 * Asks a server what it tells anybody; whether it is the right one is a check of its own.
 *
 * @throws Error when there is no answer
 */
export async function get(url: string): Promise<Answer> {
    const dispatcher = new Agent({ connect: { rejectUnauthorized: false, timeout: silence } });
    try {
        const answer = await request(url, { dispatcher, signal: AbortSignal.timeout(silence) });
        const date = String(answer.headers["date"]);
        return { status: answer.statusCode, date, text: await answer.body.text() };
    } catch (error) {
        throw new Error(
            `GET ${url} got no answer: ${messageOf(error)}. ` +
                "Next: check that it is right, runs, and can be reached from here",
            { cause: error },
        );
    } finally {
        await dispatcher.destroy();
    }
}
