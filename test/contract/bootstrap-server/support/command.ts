import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** The compiled command line: `npm run build` makes it. */
const main = join(__dirname, "../../../../bootstrap-server/dist/main.js");

/** Starts a command of the server's program, with no more environment than is given. */
export function start(args: readonly string[], env: NodeJS.ProcessEnv) {
    const child = spawn(process.execPath, [main, ...args], {
        env: { PATH: process.env["PATH"], ...env },
    });
    const output = { text: "" };
    const read = (chunk: Buffer): void => void (output.text += chunk.toString());
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    return { child, output, ended: once(child, "close") as Promise<[number | null]> };
}

/** Runs a command to its end. */
export async function command(...args: readonly string[]) {
    const { output, ended } = start(args, {});
    const [code] = await ended;
    return { code, text: output.text };
}
