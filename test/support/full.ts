/** Whether all points of a test are to run, by `npm run test:full`, and not only a sample of them. */
export const isFull = process.env["EXCLOUD_FULL"] === "1";

/** Where random choices of a test begin: `EXCLOUD_SEED`, else a new one. Print it. */
export const seed = Number(process.env["EXCLOUD_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
