import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";

import { optionalString, type Properties, record, requiredString } from "../plugin/properties";
import type { PluginResource } from "../plugin/provider";
import { changesOf } from "./changes";
import { connectionFailures, Remote } from "./connection";
import { COPY_INPUTS } from "./names";

/** How the engine marks an asset among properties. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const ASSET = "c44067f5952c0a294b673a41bacd8c17";

/** `remote.CopyToRemote`: a file on a machine. */
export const copyToRemote: PluginResource = {
    failures: connectionFailures,
    difference: (old, inputs) => changesOf(COPY_INPUTS, old, inputs),

    async create(inputs) {
        return { id: randomUUID(), properties: await copied(inputs) };
    },

    update: (_outputs, inputs) => copied(inputs),
    read: (outputs) => outputs,
    // As the official plugin: the file stays.
    delete: () => undefined,
};

async function copied(inputs: Properties): Promise<Properties> {
    const path = requiredString(inputs, "remotePath");
    const content = await contentOf(record(inputs, "source"));
    await Remote.use(inputs, (remote) => remote.write(path, content));
    return inputs;
}

/** @throws when it is not an asset of this machine */
async function contentOf(source: Properties): Promise<Buffer> {
    const [text, path] = [optionalString(source, "text"), optionalString(source, "path")];
    if (source[SIGNATURE] === ASSET && path) {
        return readFile(path);
    }
    if (source[SIGNATURE] === ASSET && text !== undefined) {
        return Buffer.from(text);
    }
    throw new Error(
        "the stand-in for the command plugin copies a text or a file; use the official plugin for archives and remote assets",
    );
}
