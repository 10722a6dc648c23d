import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type LocalCloud, startLocalCloud } from "excloud-local";

import { type BootstrapApi, type Context, makeContext } from "../../../../provider/context";
import { ApiError } from "../../../../provider/errors";
import { configOf } from "../../../support/cloud-config";

/** Handlers against the local cloud, in this process. */
export interface HandlerBench {
    readonly cloud: LocalCloud;
    readonly context: Context;
    /** What the handlers said. */
    readonly lines: string[];
    /** Answers of the bootstrap server by operation; without one it answers 404. Its own tests run the real one. */
    readonly answers: Record<string, unknown>;
    close(): Promise<void>;
}

/** Starts a cloud in a folder of its own. */
export async function openHandlerBench(): Promise<HandlerBench> {
    const dir = mkdtempSync(join(tmpdir(), "handlers-"));
    const cloud = await startLocalCloud({
        dir,
        nodes: "none",
        delays: { creating: 20, starting: 20, stopping: 20, terminating: 20 },
    });
    const settings = configOf(cloud);
    const lines: string[] = [];
    const answers: Record<string, unknown> = {};
    const bootstrap = (name: string) =>
        name in answers
            ? Promise.resolve(answers[name])
            : Promise.reject(new ApiError(`no answer to ${name} is played`, 404, "x"));
    return {
        cloud,
        lines,
        answers,
        context: {
            ...makeContext((key) => settings[key]),
            log: (line) => lines.push(line),
            bootstrap: () => bootstrap as BootstrapApi,
        },
        close: async () => {
            await cloud.close();
            rmSync(dir, { recursive: true, force: true });
        },
    };
}
