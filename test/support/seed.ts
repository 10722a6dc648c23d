/** Where random choices of a test begin: `EXCLOUD_SEED`, else a new one. */
export const seed = Number(process.env["EXCLOUD_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

// At once, as a test that hangs says nothing later.
process.stderr.write(`EXCLOUD_SEED=${seed}\n`);
