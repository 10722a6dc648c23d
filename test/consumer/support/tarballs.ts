import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { REPOSITORY } from "../../../tools/engine/repository";

/** The packages that are published, each with its folder in the repository. */
export const publicPackages = {
    "excloud-k8s": ".",
    "excloud-k8s-bootstrap": "bootstrap-server",
    "excloud-local": "local-cloud",
} as const;

export type PublicPackage = keyof typeof publicPackages;

/** A package as it would be published. */
export interface Tarball {
    /** Absolute path of the `.tgz`. */
    readonly file: string;
    /** Bytes, packed and unpacked. */
    readonly size: number;
    readonly unpackedSize: number;
    /** Paths within the package. */
    readonly paths: readonly string[];
}

/** One package in what `npm pack --json` prints. */
interface Packed {
    readonly name: PublicPackage;
    readonly filename: string;
    readonly size: number;
    readonly unpackedSize: number;
    readonly files: readonly { readonly path: string }[];
}

/** Packs every public package into a folder. The code must have been compiled. */
export async function packAll(folder: string): Promise<Record<PublicPackage, Tarball>> {
    const packed = await Promise.all(
        Object.entries(publicPackages).map(async ([name, source]) => {
            const { stdout } = await promisify(execFile)(
                "npm",
                ["pack", "--json", "--ignore-scripts", "--pack-destination", folder],
                { cwd: join(REPOSITORY, source) },
            );
            const [about] = Object.values(JSON.parse(stdout) as Record<string, Packed>);
            if (about === undefined) {
                throw new Error(`npm pack of ${name} says nothing of a package: ${stdout}`);
            }
            const tarball: Tarball = {
                file: join(folder, about.filename),
                size: about.size,
                unpackedSize: about.unpackedSize,
                paths: about.files.map(({ path }) => path),
            };
            return [name, tarball];
        }),
    );
    return Object.fromEntries(packed) as Record<PublicPackage, Tarball>;
}
