import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { Worker } from "node:worker_threads";

import type { PostgresPool, PostgresPoolClient, PostgresQueryResult } from "kysely";

import { lockFolder } from "./folder-lock";

/** Same depth from `src/store` and from `dist/store`. */
const workerFile = join(__dirname, "..", "..", "worker", "pglite.js");

interface Answer {
    id?: number;
    ready?: boolean;
    rows?: unknown[];
    affectedRows?: number;
    error?: { message: string; code?: string; detail?: string; constraint?: string };
}

function errorOf(answer: NonNullable<Answer["error"]>): Error {
    return Object.assign(new Error(answer.message), answer);
}

/** Asks the worker and matches its answers to the questions by id. */
class EmbeddedDatabase {
    private readonly waiting = new Map<
        number,
        { resolve: (answer: Answer) => void; reject: (error: Error) => void }
    >();
    private nextId = 1;
    /** Why no question is answered any more. */
    private ended: Error | undefined;

    /** @param onEnd told when the worker ends, asked or not */
    constructor(
        private readonly worker: Worker,
        onEnd: (why: Error) => void,
    ) {
        worker.on("message", (answer: Answer) => {
            const question = this.waiting.get(answer.id ?? 0);
            this.waiting.delete(answer.id ?? 0);
            if (answer.error) {
                question?.reject(errorOf(answer.error));
            } else {
                question?.resolve(answer);
            }
        });
        worker.on("error", (error) => (this.ended = error));
        // After an error too.
        worker.on("exit", () => {
            const why = (this.ended ??= new Error("the embedded database has ended"));
            for (const { reject } of this.waiting.values()) {
                reject(why);
            }
            this.waiting.clear();
            onEnd(why);
        });
    }

    ask(message: { op: "query" | "close"; sql?: string; parameters?: unknown[] }): Promise<Answer> {
        if (this.ended) {
            return Promise.reject(this.ended);
        }
        const id = this.nextId++;
        return new Promise((resolve, reject) => {
            this.waiting.set(id, { resolve, reject });
            this.worker.postMessage({ id, ...message });
        });
    }
}

/** What Kysely reads from `command`; it counts affected rows for these only. */
function commandOf(sql: string): PostgresQueryResult<unknown>["command"] {
    const word = /^\s*(\w+)/.exec(sql)?.[1]?.toUpperCase();
    return word === "INSERT" || word === "UPDATE" || word === "DELETE" ? word : "SELECT";
}

function startWorker(folder: string): Promise<Worker> {
    return new Promise((resolve, reject) => {
        const worker = new Worker(workerFile, { workerData: { folder } });
        worker.once("error", reject);
        worker.once("message", (answer: Answer) => {
            worker.off("error", reject);
            if (answer.ready) {
                resolve(worker);
            } else {
                void worker.terminate();
                reject(answer.error ? errorOf(answer.error) : new Error("no answer"));
            }
        });
    });
}

/**
 * Opens PostgreSQL embedded in this process (PGlite), persisted in `folder`, as a pool of one
 * connection: a transaction has it alone until it ends, the others wait their turn.
 * Throws StartupError when another server has the folder: two would destroy the database.
 *
 * @param onLost told when the database ends before the pool is: nothing of it can be used then
 */
export async function openEmbeddedPool(
    folder: string,
    onLost: (why: Error) => void,
): Promise<PostgresPool> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const lock = await lockFolder(folder);
    const worker = await startWorker(folder).catch(async (error: unknown) => {
        await lock.release();
        throw error;
    });
    let last: Promise<void> = Promise.resolve();
    let ended = false;
    const database = new EmbeddedDatabase(worker, (why) => {
        if (!ended) {
            onLost(why);
        }
    });

    const connect = async (): Promise<PostgresPoolClient> => {
        const before = last;
        let release = (): void => undefined;
        last = new Promise((resolve) => {
            release = resolve;
        });
        await before;
        const query = async (sql: unknown, parameters: readonly unknown[] = []) => {
            const { rows = [], affectedRows = 0 } = await database.ask({
                op: "query",
                sql: String(sql),
                parameters: [...parameters],
            });
            const command = commandOf(String(sql));
            return { command, rows, rowCount: command === "SELECT" ? rows.length : affectedRows };
        };
        return { query, release } as PostgresPoolClient;
    };
    const end = async (): Promise<void> => {
        if (ended) {
            return;
        }
        ended = true;
        await last;
        try {
            await database.ask({ op: "close" });
        } finally {
            await lock.release();
        }
    };
    return { connect, end };
}
