import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { defaultSubnets } from "../../local-cloud/src/state/networks";
import { type Folder, folderAt } from "../../tools/playground/folder";
import type { Ports } from "../../tools/playground/services";
import { pack, unpack } from "./archive";

/** What a release left: a stack, the cloud it is in, and the database of its bootstrap server. */
export interface KeptWorld {
    /** Of the program, in the repository. */
    readonly program: string;
    readonly ports: Required<Ports>;
    /** Number of the cloud's networks: nodes have their addresses from it. */
    readonly network: number;
}

/** The worlds that are kept of each release, each in a file `<release>/<name>.tar.br`. */
export const worlds = {
    single: {
        program: "examples/quickstart",
        ports: { cloud: 21400, server: 21408 },
        network: 201,
    },
    three: { program: "examples/quickstart", ports: { cloud: 21410, server: 21418 }, network: 202 },
    "bootstrap-server": {
        program: "test/engine/bootstrap-server/program/index.js",
        ports: { cloud: 21420, server: 21428 },
        network: 203,
    },
    image: {
        program: "test/engine/image/program/index.js",
        ports: { cloud: 21430, server: 21438 },
        network: 204,
    },
} as const satisfies Record<string, KeptWorld>;

export type WorldName = keyof typeof worlds;
export const worldNames = Object.keys(worlds) as WorldName[];

/** The releases of which worlds are kept. */
export const releases = (): string[] =>
    readdirSync(__dirname, { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() ? [entry.name] : [],
    );

const fileOf = (release: string, name: WorldName): string =>
    join(__dirname, release, `${name}.tar.br`);

/** The data of the bootstrap server is in `cloud-servers` when it is on a VM, else beside the cloud. */
const partsOf = (folder: Folder): string[] => [
    ...["cloud", "passphrase", "state.json"],
    existsSync(`${folder.cloud}-servers`) ? "cloud-servers" : "bootstrap-server",
    folder.configFile.slice(folder.root.length + 1),
];
/** What is made anew by itself, or of use on the machine that made it only. */
const passing = /\.log$|\/(control|postmaster\.\w+)$/;
/** Where a program's lines were on the machine that ran it says nothing to others. */
const withoutPlaces = (key: string, value: unknown): unknown =>
    key === "sourcePosition" || key === "stackTrace" ? undefined : value;

/** A new folder for a world that is to be kept: its cloud has the world's networks. */
export function folderToKeep(name: WorldName): Folder {
    const folder = folderAt(mkdtempSync(join(tmpdir(), "world-")));
    const subnets = defaultSubnets(worlds[name].network);
    mkdirSync(join(folder.cloud, "state"), { recursive: true, mode: 0o700 });
    writeFileSync(join(folder.cloud, "state/subnets.json"), JSON.stringify(subnets));
    return folder;
}

/**
 * Keeps a world whose services have stopped. What was kept of a release is never changed.
 *
 * @param state what `pulumi stack export` gave
 */
export async function keepWorld(
    release: string,
    name: WorldName,
    folder: Folder,
    state: string,
): Promise<void> {
    const file = fileOf(release, name);
    if (existsSync(file)) {
        throw new Error(`${file} is kept already`);
    }
    const plain = JSON.parse(state, withoutPlaces) as object;
    writeFileSync(join(folder.root, "state.json"), JSON.stringify(plain));
    mkdirSync(join(__dirname, release), { recursive: true });
    await pack(file, folder.root, partsOf(folder), (path) => !passing.test(path));
}

/** Lays a kept world out in a new folder; nothing runs yet, and its stack is in `state.json`. */
export async function unpackWorld(release: string, name: WorldName): Promise<Folder> {
    const folder = folderAt(mkdtempSync(join(tmpdir(), "kept-world-")));
    try {
        await unpack(fileOf(release, name), folder.root);
    } catch (error) {
        rmSync(folder.root, { recursive: true, force: true });
        throw error;
    }
    return folder;
}
