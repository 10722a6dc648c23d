import { spawn } from "node:child_process";
import { randomBytes, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { includesAddress } from "../../../bootstrap-server/src/addresses";
import { dataPaths, keptOperatorToken } from "../../../bootstrap-server/src/data-dir";
import { bearerToken, matchesDigest, sha256 } from "../../../bootstrap-server/src/secrets";
import { lockFolder } from "../../../bootstrap-server/src/store/folder-lock";
import { Keyring } from "../../../bootstrap-server/src/store/keyring";
import { ensureTls } from "../../../bootstrap-server/src/tls";

let folder: string;
beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bootstrap-parts-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe("tls", () => {
    const day = 24 * 60 * 60 * 1000;
    const now = new Date("2030-01-01T00:00:00Z");
    const later = (days: number) => new Date(now.getTime() + days * day);

    test("makes an authority and a server certificate, keeps them, renews what ends", async () => {
        const dataDir = join(folder, "tls");
        const made = await ensureTls(dataDir, ["bootstrap.example.org", "192.0.2.7"], now);
        const ca = new X509Certificate(made.caPem);
        const server = new X509Certificate(made.certificatePem);
        expect(ca.ca).toBe(true);
        expect(server.verify(ca.publicKey) && server.checkIssued(ca)).toBe(true);
        expect(server.subjectAltName).toBe(
            "DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:bootstrap.example.org, IP Address:192.0.2.7",
        );
        for (const { serialNumber } of [ca, server]) {
            expect(parseInt(serialNumber.slice(0, 2), 16)).toBeGreaterThan(0);
            expect(parseInt(serialNumber.slice(0, 2), 16)).toBeLessThan(128);
        }
        expect(made.caPem + made.certificatePem + made.keyPem).not.toContain("\r");
        const paths = dataPaths(dataDir);
        for (const key of [paths.caKey, paths.serverKey]) {
            expect((await stat(key)).mode & 0o777).toBe(0o600);
        }

        expect(await ensureTls(dataDir, ["bootstrap.example.org"], later(300))).toEqual(made);
        const renewed = await ensureTls(dataDir, [], later(370));
        expect(renewed.caPem).toBe(made.caPem);
        expect(renewed.certificatePem).not.toBe(made.certificatePem);
        const wider = await ensureTls(dataDir, ["other.example.org"], later(371));
        expect(wider.certificatePem).not.toBe(renewed.certificatePem);

        await unlink(paths.caKey);
        await expect(ensureTls(dataDir, [], now)).rejects.toThrow(paths.caKey);
        expect(await readFile(paths.caCertificate, "utf8")).toBe(made.caPem);
    });
});

describe("data folder", () => {
    test("keeps one operator token, private to its user", async () => {
        const dataDir = join(folder, "token");
        const all = await Promise.all([1, 2, 3].map(() => keptOperatorToken(dataDir)));
        expect(new Set(all).size).toBe(1);
        expect(all[0]).toMatch(/^[A-Za-z0-9_-]{43}$/);
        expect((await stat(dataPaths(dataDir).operatorToken)).mode & 0o777).toBe(0o600);
    });
});

describe("lock of a folder", () => {
    test.each([
        ["", "plain"],
        ["with a path too long for a socket", `${"long/".repeat(30)}plain`],
    ])("lets one in at a time %s", async (_what, name) => {
        const path = join(folder, name);
        const lock = await lockFolder(path);
        await expect(lockFolder(path)).rejects.toThrow(`process id ${process.pid}`);
        await lock.release();
        expect(await readdir(`${path}.lock`)).toEqual([]);
        await (await lockFolder(path)).release();
    });
    test("lets at most one in of those that come together", async () => {
        const path = join(folder, "together");
        const all = await Promise.allSettled([1, 2, 3].map(() => lockFolder(path)));
        const holders = all.filter((one) => one.status === "fulfilled");
        expect(holders.length).toBeLessThanOrEqual(1);
        for (const { value } of holders) {
            await value.release();
        }
    });
    test("is free again when its holder was killed", async () => {
        const path = join(folder, "killed");
        await (await lockFolder(path)).release();
        const socket = join(`${path}.lock`, "left-over");
        const script = `require("node:net").createServer((s) => s.end(String(process.pid)))
            .listen(${JSON.stringify(socket)}, () => console.log("holds"))`;
        const holder = spawn(process.execPath, ["-e", script]);
        const ended = once(holder, "exit");
        await once(holder.stdout, "data");
        await expect(lockFolder(path)).rejects.toThrow(`process id ${holder.pid}`);
        holder.kill("SIGKILL");
        await ended;
        expect(await readdir(`${path}.lock`)).toEqual(["left-over"]);
        const lock = await lockFolder(path);
        expect(await readdir(`${path}.lock`)).not.toContain("left-over");
        await lock.release();
    });
});

describe("keyring", () => {
    const [one, two] = [randomBytes(32), randomBytes(32)];
    test("opens what any of its keys sealed, in the same place only", () => {
        const sealed = new Keyring([one]).seal("text", "place");
        expect(Buffer.from(sealed.sealed).toString("latin1")).not.toContain("text");
        expect(new Keyring([two, one]).open(sealed, "place")).toBe("text");
        expect(() => new Keyring([one]).open(sealed, "elsewhere")).toThrow();
        expect(() => new Keyring([two]).open(sealed, "place")).toThrow(sealed.keyId);
        const changed = Buffer.from(sealed.sealed);
        changed[0] = (changed[0] ?? 0) ^ 1;
        expect(() => new Keyring([one]).open({ ...sealed, sealed: changed }, "place")).toThrow();
    });
    test("never uses a nonce twice", () => {
        const ring = new Keyring([one]);
        const nonces = Array.from({ length: 100 }, () =>
            Buffer.from(ring.seal("text", "place").nonce).toString("hex"),
        );
        expect(new Set(nonces).size).toBe(100);
    });
});

describe("secrets and addresses", () => {
    test("digests and bearer tokens", () => {
        expect(matchesDigest("a", sha256("a"))).toBe(true);
        expect(matchesDigest("b", sha256("a"))).toBe(false);
        expect(matchesDigest("a", "")).toBe(false);
        expect(bearerToken("Bearer abc")).toBe("abc");
        for (const header of [undefined, "", "Bearer ", "Basic abc", "Bearer a b"]) {
            expect(bearerToken(header)).toBeUndefined();
        }
    });
    test("addresses are compared as addresses", () => {
        expect(includesAddress(["10.0.0.5"], "::ffff:10.0.0.5")).toBe(true);
        expect(includesAddress(["10.0.0.5", ""], "10.0.0.50")).toBe(false);
        expect(includesAddress([], "10.0.0.5")).toBe(false);
        expect(includesAddress(["nonsense"], "nonsense")).toBe(false);
    });
});
