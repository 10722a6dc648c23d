import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

import { REPOSITORY } from "../../../tools/engine/repository";
import type { Stack } from "../../../tools/engine/stack";

/** Runs our command, as a user does; gives its exit code and all it printed. */
export async function command(
    { options: { env, project, name } }: Stack,
    subcommand: "unlock" | "status" | "doctor",
    flags: readonly string[] = [],
): Promise<{ code: number | null; text: string }> {
    const main = join(REPOSITORY, "dist/cli/main.js");
    const args = [main, subcommand, "--stack", name, "--cwd", project, ...flags];
    const child = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
    let text = "";
    for (const stream of [child.stdout, child.stderr]) {
        stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
    }
    const [code] = (await once(child, "close")) as [number | null];
    return { code, text };
}

/** Runs `excloud-k8s unlock`, without asking unless told otherwise. */
export function unlock(stack: Stack, flags: readonly string[] = ["--yes"]) {
    return command(stack, "unlock", flags);
}
