import { Value } from "@sinclair/typebox/value";

import { Bundle } from "#contract/bundle";
import { generationOf, sha256 } from "#contract/manifest";

/**
 * Reads a bundle.
 *
 * @throws Error that names the first member that is not as agreed
 */
export function parseBundle(json: unknown): Bundle {
    const problem = Value.Errors(Bundle, json).First();
    if (problem !== undefined) {
        throw new Error(`the bundle is malformed: ${problem.path || "/"}: ${problem.message}`);
    }
    return Value.Decode(Bundle, json);
}

/** The generation that the files, their modes and owners amount to. */
export function generationOfFiles({
    files,
    attributes,
}: Pick<Bundle, "files" | "attributes">): string {
    return generationOf(
        Object.fromEntries(
            Object.entries(files).map(([path, content]) => {
                const { mode, owner } = attributes[path] ?? { mode: "", owner: "" };
                return [path, { sha256: sha256(content), mode, owner }];
            }),
        ),
    );
}
