import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rename, unlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { StartupError } from "./errors";
import { newToken } from "./secrets";
import { keyBytes } from "./store/keyring";

/** Files in the data folder, all but the CA certificate private to the server's user. */
export function dataPaths(dataDir: string) {
    return {
        database: join(dataDir, "database"),
        control: join(dataDir, "control"),
        operatorToken: join(dataDir, "operator-token"),
        encryptionKey: join(dataDir, "encryption-key"),
        caCertificate: join(dataDir, "tls", "ca.crt"),
        caKey: join(dataDir, "tls", "ca.key"),
        serverCertificate: join(dataDir, "tls", "server.crt"),
        serverKey: join(dataDir, "tls", "server.key"),
    };
}

/** Reads a text file; undefined when there is none. */
export async function readIfThere(path: string): Promise<string | undefined> {
    try {
        return await readFile(path, "utf8");
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") {
            return undefined;
        }
        throw error;
    }
}

async function writeTemporary(path: string, text: string, mode: number): Promise<string> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const temporary = `${path}.${randomBytes(6).toString("hex")}`;
    await writeFile(temporary, text, { mode, flag: "wx" });
    return temporary;
}

/** Writes a file in one step: a reader sees the old text or the new, never a part. */
export async function writeAtomically(path: string, text: string, mode: number): Promise<void> {
    await rename(await writeTemporary(path, text, mode), path);
}

/**
 * Reads a secret file (0600), or makes it from `make` at first use. When two servers start together
 * on one folder, the first wins and both read its text.
 */
async function readOrMake(path: string, make: () => string): Promise<string> {
    const present = await readIfThere(path);
    if (present !== undefined) {
        return present.trim();
    }
    const temporary = await writeTemporary(path, `${make()}\n`, 0o600);
    try {
        await link(temporary, path);
    } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
            throw error;
        }
    } finally {
        await unlink(temporary);
    }
    return (await readFile(path, "utf8")).trim();
}

/** The operator's token of the data folder, made at first use. */
export function keptOperatorToken(dataDir: string): Promise<string> {
    return readOrMake(dataPaths(dataDir).operatorToken, newToken);
}

/**
 * The encryption keys of the data folder: one is made at first use; a rotation puts further lines
 * there, of which the first seals. Throws StartupError when damaged.
 */
export async function keptEncryptionKeys(dataDir: string): Promise<[Buffer, ...Buffer[]]> {
    const path = dataPaths(dataDir).encryptionKey;
    const text = await readOrMake(path, () => randomBytes(keyBytes).toString("base64"));
    const [first, ...others] = text.split(/\s+/).map((line) => Buffer.from(line, "base64"));
    if (!first || [first, ...others].some((key) => key.length !== keyBytes)) {
        throw new StartupError(
            `${path} does not hold ${keyBytes} bytes of base64 in each line: restore it`,
        );
    }
    return [first, ...others];
}
