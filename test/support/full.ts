/** Whether all points of a test are to run, by `npm run test:full`, and not only a sample of them. */
export const isFull = process.env["EXCLOUD_FULL"] === "1";
