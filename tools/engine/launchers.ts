import { existsSync, readFileSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import * as path from "node:path";

import { REPOSITORY } from "./repository";

/** An executable script that the engine starts. */
export interface Launcher {
    /** File name the engine looks for. */
    readonly file: string;
    /** @throws when what it starts has not been compiled or installed */
    text(): string;
}

/** Stand-in for the language host of Node.js programs. */
export const LANGUAGE_HOST = standIn("pulumi-language-nodejs", "language-host");

/** The official launcher of dynamic providers, a script inside the npm package of the SDK. */
export const DYNAMIC_PROVIDER_LAUNCHER: Launcher = {
    file: "pulumi-resource-pulumi-nodejs",
    text() {
        const sdk = createRequire(path.join(REPOSITORY, "package.json")).resolve(
            "@pulumi/pulumi/package.json",
        );
        return readFileSync(path.join(path.dirname(sdk), this.file), "utf8");
    },
};

/** Writes a script as an executable file, in one step, unless it is there already. */
export async function writeLauncher(file: string, text: string): Promise<void> {
    const present = await readFile(file, "utf8").catch(() => undefined);
    if (present === text) {
        return;
    }
    await mkdir(path.dirname(file), { recursive: true });
    const partial = `${file}.partial-${process.pid}`;
    await writeFile(partial, text, { mode: 0o755 });
    await rename(partial, file);
}

/** Starts a stand-in, by the file name of what it stands in for. */
export function standIn(file: string, folder: string): Launcher {
    return {
        file,
        text() {
            const main = path.join(REPOSITORY, "tools", "dist", "stand-ins", folder, "main.js");
            if (!existsSync(main)) {
                throw new Error(`${main} is missing: run npm run build`);
            }
            return `#!/bin/sh\nexec node "${main}" "$@"\n`;
        },
    };
}
