import { readFileSync, Stats, writeFileSync } from "node:fs";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";

import { create, extract } from "tar";

/** A database holds each of its empty tables three times: the window spans all of them. */
const params = {
    [constants.BROTLI_PARAM_LARGE_WINDOW]: 1,
    [constants.BROTLI_PARAM_LGWIN]: 27,
    [constants.BROTLI_PARAM_QUALITY]: 11,
};

/** Packs parts of a folder, given as paths in it, into one file. */
export async function pack(
    file: string,
    folder: string,
    parts: readonly string[],
    isKept: (path: string) => boolean,
): Promise<void> {
    const filter = (path: string, entry: object): boolean =>
        isKept(path) && !(entry instanceof Stats && entry.isSocket());
    const options = { cwd: folder, portable: true, filter };
    const chunks: Buffer[] = [];
    for await (const chunk of create(options, [...parts]) as AsyncIterable<Buffer>) {
        chunks.push(chunk);
    }
    writeFileSync(file, brotliCompressSync(Buffer.concat(chunks), { params }));
}

/** Unpacks what `pack` packed. */
export async function unpack(file: string, folder: string): Promise<void> {
    const archive = brotliDecompressSync(readFileSync(file), {
        params: { [constants.BROTLI_DECODER_PARAM_LARGE_WINDOW]: 1 },
    });
    await pipeline(Readable.from([archive]), extract({ cwd: folder }));
}
