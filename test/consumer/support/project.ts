import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { REPOSITORY } from "../../../tools/engine/repository";
import type { Combination } from "./combinations";
import { type Computer, folderIn } from "./computer";

const PROGRAM = join(REPOSITORY, "test/consumer/program");

/** What `pulumi new typescript` writes, the old way of finding modules included. */
const tsconfig = {
    compilerOptions: {
        strict: true,
        outDir: "bin",
        target: "es2020",
        module: "commonjs",
        moduleResolution: "node",
        sourceMap: true,
        experimentalDecorators: true,
        pretty: true,
        noFallthroughCasesInSwitch: true,
        noImplicitReturns: true,
        forceConsistentCasingInFileNames: true,
    },
    files: ["index.ts"],
};

/** A Pulumi program that a consumer wrote, with the package from npm. */
export class Project {
    constructor(
        private readonly computer: Computer,
        readonly folder: string,
        private readonly programFile: string,
    ) {}

    /** Runs a command in the project's folder; gives what it printed. */
    run(file: string, ...args: string[]): Promise<string> {
        return this.computer.run(this.folder, file, ...args);
    }

    pulumi(...args: string[]): Promise<string> {
        return this.run("pulumi", "--non-interactive", ...args);
    }

    /** Changes the text of the program. */
    edit(found: string, replacement: string): void {
        const text = readFileSync(this.programFile, "utf8");
        if (!text.includes(found)) {
            throw new Error(`the program has no ${found}`);
        }
        writeFileSync(this.programFile, text.replace(found, replacement));
    }
}

/** Makes a project from nothing, as the package manager and Pulumi's documentation say. */
export async function makeProject(
    computer: Computer,
    folder: string,
    { manager, language, sdk }: Combination,
    tarball: string,
): Promise<Project> {
    const isTypeScript = language === "TypeScript";
    const programFile = join(folderIn(folder), isTypeScript ? "index.ts" : "index.js");
    copyFileSync(join(PROGRAM, "index.ts"), programFile);
    copyFileSync(join(PROGRAM, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
    const project = new Project(computer, folder, programFile);

    await project.run(manager, "init", ...(manager === "npm" ? ["--yes"] : []));
    // npm writes "commonjs" and index.js, whatever lies there.
    await project.run("npm", "pkg", "set", `main=${isTypeScript ? "index.ts" : "index.js"}`);
    await project.run("npm", "pkg", "set", `type=${isTypeScript ? "commonjs" : "module"}`);
    const add = manager === "npm" ? "install" : "add";
    await project.run(manager, add, `@pulumi/pulumi@${sdk}`, tarball);
    if (isTypeScript) {
        writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(tsconfig, undefined, 4));
        await project.run(manager, add, "--save-dev", "typescript@5", "@types/node@20");
    }
    return project;
}
