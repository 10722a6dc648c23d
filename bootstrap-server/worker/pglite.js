"use strict";
/**
 * Runs the embedded PostgreSQL in a thread of its own, so that a long query never holds up TLS
 * handshakes or the health check. Plain JavaScript because a worker thread starts from a file.
 *
 * Messages in: `{ id, op: "query", sql, parameters }` or `{ id, op: "close" }`.
 * Messages out: `{ ready }` once, then `{ id, rows, affectedRows }` or `{ id, error }`.
 */
const { parentPort, workerData } = require("node:worker_threads");
const { PGlite } = require("@electric-sql/pglite");

const describe = (error) => ({
    message: error.message,
    code: error.code,
    detail: error.detail,
    constraint: error.constraint,
});

async function run() {
    const database = await PGlite.create(workerData.folder);
    parentPort.on("message", async ({ id, op, sql, parameters }) => {
        try {
            if (op === "close") {
                await database.close();
                parentPort.postMessage({ id, rows: [], affectedRows: 0 });
                parentPort.close();
                return;
            }
            const { rows, affectedRows } = await database.query(sql, parameters);
            parentPort.postMessage({ id, rows, affectedRows: affectedRows ?? 0 });
        } catch (error) {
            parentPort.postMessage({ id, error: describe(error) });
        }
    });
    parentPort.postMessage({ ready: true });
}

run().catch((error) => parentPort.postMessage({ ready: false, error: describe(error) }));
