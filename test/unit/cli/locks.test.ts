import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { isHeld, locksOf } from "../../../cli/locks";
import { commandOf } from "../../../cli/processes";

const stack = "organization/shop/prod";
const lock = { pid: process.pid, username: "ann", hostname: hostname(), timestamp: "" };
let folder: string;

beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "locks-"));
    const locks = join(folder, ".pulumi/locks", stack);
    mkdirSync(locks, { recursive: true });
    writeFileSync(join(locks, "1.json"), JSON.stringify(lock));
    writeFileSync(join(locks, "1.json.attrs"), "{}");
});
afterAll(() => rmSync(folder, { recursive: true }));

test("a folder's locks are those of the stack", () => {
    const url = pathToFileURL(folder).href;
    expect(locksOf(url, stack)).toEqual([lock]);
    expect(locksOf(url, "organization/shop/test")).toEqual([]);
});

test("half of a lock is one, and nobody's", () => {
    const half = join(folder, ".pulumi/locks/organization/shop/half");
    mkdirSync(half);
    writeFileSync(join(half, "fileblob1"), '{"pid":');
    const [lock] = locksOf(pathToFileURL(folder).href, "organization/shop/half")!;
    expect(isHeld(lock!)).toBe(false);
});

test("elsewhere only the backend knows them", () => {
    expect(locksOf("https://api.pulumi.com", stack)).toBeUndefined();
});

test("a lock is held while its `pulumi` runs on this machine", async () => {
    const engine = spawn("bash", ["-c", "exec -a pulumi sleep 60"], { stdio: "ignore" });
    const held = { ...lock, pid: engine.pid! };
    while (commandOf(held.pid)[0] !== "pulumi") {
        await sleep(5);
    }
    expect(isHeld(held)).toBe(true);
    expect(isHeld({ ...held, hostname: "elsewhere" })).toBe(false);
    engine.kill("SIGKILL");
    await new Promise((resolve) => engine.once("exit", resolve));
    expect(isHeld(held)).toBe(false);
});

test("a lock is not held by a process that has ended and that nobody has waited for", async () => {
    // A shell that becomes another program forgets the child it had, when that ends later.
    const parent = spawn("bash", ["-c", "sleep 0.5 & echo $!; exec sleep 60"]);
    const [printed] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(printed.toString());
    while (!readFileSync(`/proc/${pid}/stat`, "utf8").includes(" Z ")) {
        await sleep(5);
    }
    expect(isHeld({ ...lock, pid })).toBe(false);
    parent.kill("SIGKILL");
});

test("a lock is not held by another command that got its process id", () => {
    expect(isHeld(lock)).toBe(false);
});
