import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { settings } from "../../../bootstrap-server/src/settings";

const root = join(__dirname, "../../..");
const server = join(root, "bootstrap-server");
const environmentNames = Object.values(settings).flatMap(({ environment }) => [
    environment,
    `${environment}_FILE`,
]);

let folder: string;
beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bootstrap-packaging-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** What systemd itself says of the unit. That it runs under these locks is not proven here. */
describe("systemd unit", () => {
    const unit = readFileSync(join(server, "excloud-k8s-bootstrap.service"), "utf8");
    const hasSystemd = spawnSync("systemd-analyze", ["--version"]).status === 0;
    const withSystemd = hasSystemd ? test : test.skip;

    withSystemd("is understood by systemd, and locked in", async () => {
        const path = join(folder, "excloud-k8s-bootstrap.service");
        // It wants to see a program, and ours is not installed here.
        const start = `ExecStart=${process.execPath}`;
        await writeFile(path, unit.replace("ExecStart=excloud-k8s-bootstrap", start));
        const verified = spawnSync("systemd-analyze", ["verify", path], { encoding: "utf8" });
        expect([verified.status, verified.stderr]).toEqual([0, ""]);
        // 0 is locked in, 100 is open; the threshold is systemd's for "OK".
        const args = ["security", "--offline=true", "--threshold=20", "--no-pager", path];
        const { status, stdout } = spawnSync("systemd-analyze", args, { encoding: "utf8" });
        expect([status, /Overall exposure.*/.exec(stdout)?.[0]]).toEqual([
            0,
            expect.stringContaining("OK"),
        ]);
    });

    test("sets only what the server reads", () => {
        const names = [...unit.matchAll(/^Environment=(\w+)=/gm)].map(([, name]) => name);
        expect(names.length).toBeGreaterThan(0);
        for (const name of names) {
            expect(environmentNames).toContain(name);
        }
    });

    test("starts a command and options that there are", () => {
        const [, command = "", option = ""] = /^ExecStart=\S+ (\w+) (--[a-z-]+) /m.exec(unit) ?? [];
        const help = execFileSync(process.execPath, [join(server, "dist/main.js"), command, "-h"], {
            encoding: "utf8",
        });
        expect(help).toContain(option);
    });
});

/** What can be read from the file; test/stories/container builds the image. */
describe("container file", () => {
    const lines = readFileSync(join(server, "Containerfile"), "utf8")
        .replaceAll("\\\n", " ")
        .split("\n")
        .filter((line) => line !== "" && !line.startsWith("#"))
        .map((line) => line.split(/\s+/) as [string, ...string[]]);
    const last = lines.map(([word]) => word).lastIndexOf("FROM");
    const image = lines.slice(last);
    const of = (word: string) => image.filter(([first]) => first === word);

    test("runs as somebody who is not root, with a volume of its own", () => {
        expect(of("USER")).toHaveLength(1);
        const [, user = ""] = of("USER")[0] ?? [];
        expect(user).toMatch(/^[1-9][0-9]*:[1-9][0-9]*$/);
        const [volume] = of("VOLUME").map(([, path]) => path);
        expect(of("ENV").flat()).toContain(`EXCLOUD_BOOTSTRAP_DATA_DIR=${volume}`);
        const [uid, gid] = user.split(":");
        expect(of("RUN").flat().join(" ")).toContain(`-o ${uid} -g ${gid} -m 0700 ${volume}`);
        // Nothing is copied in after the user is set, so nothing is the user's to change.
        expect(image.findIndex(([word]) => word === "USER")).toBeGreaterThan(
            image.map(([word]) => word).lastIndexOf("COPY"),
        );
    });

    test("sets only what the server reads, and copies what there is", () => {
        for (const [, ...variables] of of("ENV")) {
            for (const variable of variables.map((one) => one.split("=")[0])) {
                expect(["NODE_ENV", ...environmentNames]).toContain(variable);
            }
        }
        for (const [, , from = ""] of of("COPY")) {
            expect(from).toMatch(/^\/src\//);
            expect(existsSync(join(root, from.replace("/src/", "")))).toBe(true);
        }
        expect(statSync(join(root, ".dockerignore")).isFile()).toBe(true);
    });

    test("asks the server for its health with a command that there is", () => {
        const check = /\[.*\]/.exec(of("HEALTHCHECK").flat().join(" "))?.[0] ?? "[]";
        const [program, main, command] = JSON.parse(check) as string[];
        expect([program, main]).toEqual(["node", "/app/bootstrap-server/dist/main.js"]);
        const args = [join(server, "dist/main.js"), command ?? "", "--data-dir", folder];
        const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
        expect(status).toBe(1);
        expect(stderr).toContain("no server answers");
    });
});
