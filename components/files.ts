import * as pulumi from "@pulumi/pulumi";

import {
    sha256,
    type FileSpec,
    type ManifestEntry,
    type Values,
    type ValueName,
} from "../templates";

/** A file of a node, as the program plans it. */
export interface PlannedFile {
    path: string;
    /** Four octal digits. */
    mode: string;
    /** `user:group` */
    owner: string;
    /** Whether it holds a private key. */
    secret: boolean;
    content: pulumi.Output<string>;
}

/** The values of templates, each known or not by itself. */
export type ValueInputs = { [K in keyof Values]?: pulumi.Input<Values[K]> };

/**
 * Renders files, each from just the values it needs: in a preview, what does not depend on an unknown
 * value is known and shows as text.
 */
export function renderFiles(specs: readonly FileSpec[], values: ValueInputs): PlannedFile[] {
    return specs.map(({ path, mode, owner, secret, needs, render }) => {
        const isFromKey = needs.some((need) => need.startsWith("key:"));
        if (isFromKey !== secret) {
            throw new Error(`${path}: a file is secret exactly when it needs a key`);
        }
        const content = pulumi
            .all(pick(values, needs))
            .apply((plain) => render(plain as unknown as Values));
        return { path, mode, owner, secret, content };
    });
}

function pick(values: ValueInputs, needs: readonly ValueName[]): Record<string, unknown> {
    return Object.fromEntries(needs.map((need) => [need, values[need]]));
}

/** Plans a file whose text is at hand. */
export function textFile(
    path: string,
    content: pulumi.Input<string>,
    more: Partial<PlannedFile> = {},
): PlannedFile {
    return {
        path,
        mode: more.secret ? "0600" : "0644",
        owner: "root:root",
        secret: false,
        ...more,
        content: pulumi.output(content),
    };
}

/** The inputs that carry files to the bootstrap server: plain and secret contents apart. */
export function contentsOf(planned: readonly PlannedFile[]): {
    files: Record<string, pulumi.Output<string>>;
    secretFiles: Record<string, pulumi.Output<string>>;
} {
    const contents = (secret: boolean) =>
        Object.fromEntries(
            planned
                .filter((file) => file.secret === secret)
                .map(({ path, content }) => [path, content]),
        );
    return { files: contents(false), secretFiles: contents(true) };
}

/**
 * The manifest of files. Digests of secret files are public: they show that a secret changed, which the
 * engine itself does not.
 *
 * @throws Error when two files have the same path
 */
export function manifestOf(
    planned: readonly PlannedFile[],
): Record<string, pulumi.Output<ManifestEntry>> {
    const manifest: Record<string, pulumi.Output<ManifestEntry>> = {};
    for (const { path, mode, owner, content } of planned) {
        if (path in manifest) {
            throw new Error(`two files have the path ${path}`);
        }
        manifest[path] = pulumi
            .unsecret(content.apply(sha256))
            .apply((digest) => ({ sha256: digest, mode, owner }));
    }
    return manifest;
}
