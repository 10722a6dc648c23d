import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";

import { attemptDaily } from "../../../tools/engine/attempts";
import { runCommand } from "../../../tools/engine/command";
import { engineEnvironment } from "../../../tools/engine/index";
import { writeLauncher } from "../../../tools/engine/launchers";
import { withLock } from "../../../tools/engine/lock";
import { engineOnPath } from "../../../tools/engine/on-path";
import { ENGINE_MODULE } from "../../../tools/engine/repository";
import { ENGINE_VERSION, isSupportedEngine } from "../../../tools/engine/version";

const environment = { ...process.env };
let folder: string;

beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "engine-test-"));
    process.env["XDG_CACHE_HOME"] = path.join(folder, "cache");
});
afterEach(async () => {
    process.env = { ...environment };
    await rm(folder, { recursive: true, force: true });
});

describe("version", () => {
    test("the module that is built pins both modules at it", () => {
        const pinned = readFileSync(path.join(ENGINE_MODULE, "go.mod"), "utf8");
        const lines = pinned.split("\n").map((line) => line.trim());
        for (const module of ["pkg", "sdk"]) {
            const line = `github.com/pulumi/pulumi/${module}/v3 v${ENGINE_VERSION}`;
            expect(lines.filter((found) => found.startsWith(line))).toHaveLength(1);
        }
    });
    test.each([
        ["v3.216.0", true],
        ["3.259.1\n", true],
        ["v3.215.9", false],
        ["v2.300.0", false],
        ["v4.0.0", false],
        ["", false],
    ])("%j", (printed, supported) => expect(isSupportedEngine(printed)).toBe(supported));
});

describe("engine on PATH", () => {
    const install = async (bin: string, version: string, withHost: boolean): Promise<void> => {
        await writeLauncher(path.join(bin, "pulumi"), `#!/bin/sh\necho ${version}\n`);
        if (withHost) {
            await writeLauncher(path.join(bin, "pulumi-language-nodejs"), "#!/bin/sh\n");
        }
        process.env["PATH"] = `${bin}${path.delimiter}/usr/bin${path.delimiter}/bin`;
    };

    test("is used when new enough and complete", async () => {
        const bin = path.join(folder, "bin");
        await install(bin, "v3.230.0", true);
        const report = jest.fn();
        expect(await engineOnPath(report)).toEqual({
            origin: "path",
            version: "v3.230.0",
            folder: bin,
        });
        expect(report).not.toHaveBeenCalled();
    });
    test.each([
        ["too old", "v3.100.0", true, /v3\.216 or newer/],
        ["without its language host", "v3.230.0", false, /pulumi-language-nodejs/],
    ])("is not used %s, and that is said", async (_, version, withHost, line) => {
        await install(path.join(folder, "bin"), version, withHost);
        const report = jest.fn();
        expect(await engineOnPath(report)).toBeUndefined();
        expect(report).toHaveBeenCalledWith(expect.stringMatching(line));
    });
    test("is not ours", async () => {
        await install(path.join(folder, "cache", "excloud-k8s", "engine", "x"), "v3.230.0", true);
        expect(await engineOnPath(jest.fn())).toBeUndefined();
    });
});

describe("downloads", () => {
    test("a failure is remembered for a day and said once", async () => {
        const attempt = jest.fn(() => Promise.reject<string>(new Error("no route\nmore")));
        const report = jest.fn();
        expect(await attemptDaily("thing", report, attempt)).toBeUndefined();
        expect(await attemptDaily("thing", report, attempt)).toBeUndefined();
        expect(attempt).toHaveBeenCalledTimes(1);
        expect(report.mock.calls).toEqual([[expect.stringContaining("no route")]]);

        const file = path.join(folder, "cache", "excloud-k8s", "engine", "thing-failed.json");
        const day = 24 * 3_600_000 + 1;
        await writeFile(file, JSON.stringify({ at: new Date(Date.now() - day).toISOString() }));
        expect(await attemptDaily("thing", report, () => Promise.resolve("got"))).toBe("got");
        await expect(stat(file)).rejects.toThrow("ENOENT");
    });
});

describe("lock", () => {
    test("one at a time", async () => {
        const lock = path.join(folder, "lock");
        let inside = 0;
        const most: number[] = [];
        const work = async (): Promise<void> => {
            most.push(++inside);
            await new Promise((resolve) => setTimeout(resolve, 20));
            inside--;
        };
        const waiting = jest.fn();
        await Promise.all([withLock(lock, waiting, work), withLock(lock, waiting, work)]);
        expect(most).toEqual([1, 1]);
        expect(waiting).toHaveBeenCalledTimes(1);
        await expect(stat(lock)).rejects.toThrow("ENOENT");
    });
    test("is freed when the work fails", async () => {
        const lock = path.join(folder, "lock");
        const failing = withLock(lock, jest.fn(), () => Promise.reject(new Error("bad")));
        await expect(failing).rejects.toThrow("bad");
        await expect(stat(lock)).rejects.toThrow("ENOENT");
    });
    test("one whose holder died is taken over", async () => {
        const lock = path.join(folder, "lock");
        await mkdir(lock);
        const old = new Date(Date.now() - 120_000);
        await utimes(lock, old, old);
        expect(await withLock(lock, jest.fn(), () => Promise.resolve("done"))).toBe("done");
    });
});

describe("command", () => {
    test("gives the output", async () => {
        const args = ["-e", "console.log(process.env.WORD)"];
        const env = { WORD: "yes" };
        expect(await runCommand({ file: process.execPath, args, env, timeoutMs: 60_000 })).toBe(
            "yes\n",
        );
    });
    test("fails with the end of its output", async () => {
        const args = ["-e", "console.error('because'); process.exit(3)"];
        await expect(
            runCommand({ file: process.execPath, args, timeoutMs: 60_000 }),
        ).rejects.toThrow(/ended with 3\nbecause/);
    });
    test("is killed with all it started when it takes too long", async () => {
        // The inner command holds the output open: only its end lets the call return.
        const args = ["-c", "sleep 600 & wait"];
        await expect(runCommand({ file: "sh", args, timeoutMs: 500 })).rejects.toThrow(
            /within 0.5 s/,
        );
    });
    test("that does not exist", async () => {
        await expect(
            runCommand({ file: "no-such-command", args: [], timeoutMs: 1000 }),
        ).rejects.toThrow(/cannot be started/);
    });
});

test("a backend that is no URL is refused with the way to write it", async () => {
    const bin = path.join(folder, "bin");
    const tls = path.join(folder, "home", "plugins", "resource-tls-v5.6.1", "pulumi-resource-tls");
    await writeLauncher(path.join(bin, "pulumi"), "#!/bin/sh\necho v3.230.0\n");
    await writeLauncher(path.join(bin, "pulumi-language-nodejs"), "#!/bin/sh\n");
    await writeLauncher(tls, "#!/bin/sh\n");
    process.env["PATH"] = `${bin}${path.delimiter}/usr/bin${path.delimiter}/bin`;
    process.env["PULUMI_HOME"] = path.join(folder, "home");
    const options = { home: path.join(folder, "other"), backend: "/state", passphrase: "x" };
    await expect(engineEnvironment(options)).rejects.toThrow(/file:\/\/\/folder/);

    const state = path.join(folder, "state");
    const { pulumi, env, standIns } = await engineEnvironment({
        ...options,
        backend: `file://${state}`,
    });
    expect(pulumi).toBe(path.join(bin, "pulumi"));
    expect(standIns).toEqual([]);
    expect(env["PATH"]?.split(path.delimiter)[0]).toBe(bin);
    expect((await stat(state)).isDirectory()).toBe(true);
    const placed = path.join(options.home, "plugins", "resource-tls-v5.6.1", "pulumi-resource-tls");
    expect(await readFile(placed, "utf8")).toBe("#!/bin/sh\n");
});
