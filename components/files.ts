import * as pulumi from "@pulumi/pulumi";

import { sha256 } from "../contract/manifest";
import { type NodeFile, type ValueName, type Values } from "../nodes";

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
export function renderFiles(specs: readonly NodeFile[], values: ValueInputs): PlannedFile[] {
    return specs.map(({ path, mode, owner, secret, needs, render }) => {
        const content = pulumi
            .all(pick(values, needs))
            .apply((plain) => render(plain as Partial<Values>));
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

/** The inputs that carry files to the bootstrap server: plain and secret ones apart. */
export function fileInputs(planned: readonly PlannedFile[]) {
    const select = (
        secret: boolean,
        show: (file: PlannedFile) => pulumi.Output<string>,
    ): Record<string, pulumi.Output<string>> =>
        Object.fromEntries(
            planned.filter((file) => file.secret === secret).map((file) => [file.path, show(file)]),
        );
    const withHeader = ({ mode, owner, content }: PlannedFile) =>
        pulumi.interpolate`${mode} ${owner}\n${content}`;
    return {
        files: select(false, withHeader),
        secretFiles: select(true, withHeader),
        secretDigests: select(true, digestOf),
    };
}

/**
 * The manifest of files: digest, mode and owner by path.
 *
 * @throws Error when two files have the same path
 */
export function manifestOf(planned: readonly PlannedFile[]): Record<string, pulumi.Output<string>> {
    const manifest: Record<string, pulumi.Output<string>> = {};
    for (const file of planned) {
        if (file.path in manifest) {
            throw new Error(`two files have the path ${file.path}`);
        }
        manifest[file.path] = pulumi.interpolate`${digestOf(file)} ${file.mode} ${file.owner}`;
    }
    return manifest;
}

/** The digest of a file: public, also that of a secret one. */
function digestOf({ content }: PlannedFile): pulumi.Output<string> {
    return pulumi.unsecret(content.apply(sha256));
}
