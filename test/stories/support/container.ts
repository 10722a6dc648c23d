import { execFile } from "node:child_process";
import { copyFileSync, cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

import { ensureArtifacts, installPackages } from "../../../tools/binaries";
import { Computer, registryAccess } from "../../consumer/support/computer";
import { keptPackage, nodeFolder } from "../../consumer/support/downloads";

const silent = (): void => undefined;

/** Image on which `bootstrap-server/Containerfile` builds. */
const BASE = "docker.io/library/node:22-bookworm-slim";

/** Debian's buildah with its storage in a folder: no daemon, and nothing of the machine's own containers. */
export class Buildah {
    private constructor(private readonly folder: string) {}

    static async in(folder: string): Promise<Buildah> {
        await installPackages(["buildah"], silent);
        mkdirSync(folder, { recursive: true });
        return new Buildah(folder);
    }

    /** The command line of one of its commands. */
    commandLine(...args: string[]): readonly [string, string[]] {
        const storage = [
            "--root",
            join(this.folder, "storage"),
            "--runroot",
            join(this.folder, "run"),
        ];
        return ["buildah", [...storage, "--storage-driver", "vfs", ...args]];
    }

    async run(...args: string[]): Promise<string> {
        const { stdout } = await promisify(execFile)(...this.commandLine(...args), {
            maxBuffer: 64 * 1024 * 1024,
        });
        return stdout.trim();
    }

    /** Builds an image. */
    async build(image: string, file: string, context: string, ...flags: string[]): Promise<void> {
        const how = ["--isolation", "chroot", "--pull-never", "--format", "docker", ...flags];
        await this.run("build", ...how, "--file", file, "--tag", image, context);
    }

    /**
     * Makes what stands in for {@link BASE}, whose registry is not one of packages: Debian, Node and npm, and
     * how this machine reaches a package registry.
     */
    async buildBase(): Promise<void> {
        const context = join(this.folder, "base");
        mkdirSync(context);
        const computer = await Computer.empty(join(this.folder, "home"));
        copyFileSync(join(await nodeFolder(computer, "22"), "node"), join(context, "node"));
        const npm = join(await keptPackage(computer, "npm@10"), "npm");
        cpSync(npm, join(context, "npm"), { recursive: true });
        const { NODE_EXTRA_CA_CERTS: authorities } = await registryAccess();
        if (authorities !== undefined) {
            copyFileSync(authorities, join(context, "authorities.crt"));
        }
        const registry = await computer.run(this.folder, "npm", "config", "get", "registry");
        const command = (name: string) =>
            `ln -s ../lib/node_modules/npm/bin/${name}-cli.js /usr/local/bin/${name}`;
        const file = [
            "FROM scratch",
            "COPY --from=rootfs / /",
            "COPY node /usr/local/bin/node",
            "COPY npm /usr/local/lib/node_modules/npm",
            `RUN ${command("npm")} && ${command("npx")} && npm config set --global registry ${registry.trim()}`,
            "RUN useradd --uid 1000 --user-group --create-home node",
            ...(authorities === undefined
                ? []
                : ["COPY authorities.crt /", "ENV NODE_EXTRA_CA_CERTS=/authorities.crt"]),
        ];
        writeFileSync(join(context, "Containerfile"), file.join("\n"));
        const rootfs = join(await ensureArtifacts(silent), "rootfs");
        const containerfile = join(context, "Containerfile");
        await this.build(BASE, containerfile, context, "--build-context", `rootfs=${rootfs}`);
    }
}
