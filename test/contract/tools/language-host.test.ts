import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";
import * as language from "@pulumi/pulumi/proto/language_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";

import { type PluginProcess, startPlugin } from "./plugin-process";

const ENGINE = "127.0.0.1:1";

/** Takes the place of the SDK's runner: writes down how it was started and ends as it is told. */
const RUNNER = `
    require("node:fs").writeFileSync("started.json", JSON.stringify({
        args: process.argv.slice(2),
        nodeArgs: process.execArgv,
        config: JSON.parse(process.env.PULUMI_CONFIG),
        secretKeys: JSON.parse(process.env.PULUMI_CONFIG_SECRET_KEYS),
        typescript: process.env.PULUMI_NODEJS_TYPESCRIPT ?? null,
    }));
    const [end] = process.argv.slice(-1);
    if (end === "wait") setInterval(() => undefined, 1000);
    else process.exit(Number(end));`;

let plugin: PluginProcess;
let folder: string;

beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "language-host-test-"));
    const runner = path.join(folder, "node_modules", "@pulumi", "pulumi", "cmd", "run");
    mkdirSync(runner, { recursive: true });
    writeFileSync(path.join(runner, "index.js"), RUNNER);
    plugin = await startPlugin("language-host", [ENGINE]);
});
afterAll(async () => {
    await plugin.stop();
    rmSync(folder, { recursive: true, force: true });
});

function programInfo(
    directory: string,
    options: Record<string, JavaScriptValue> = {},
): language.ProgramInfo {
    const info = new language.ProgramInfo();
    info.setRootDirectory(directory);
    info.setProgramDirectory(directory);
    info.setEntryPoint("main.ts");
    info.setOptions(Struct.fromJavaScript(options));
    return info;
}

function runRequest(info: language.ProgramInfo, end: string): language.RunRequest {
    const request = new language.RunRequest();
    request.setInfo(info);
    request.setPwd(info.getProgramDirectory());
    request.setMonitorAddress("127.0.0.1:2");
    request.setOrganization("organization");
    request.setProject("demo");
    request.setStack("dev");
    request.setParallel(8);
    request.getConfigMap().set("demo:word", "sesame");
    request.setConfigsecretkeysList(["demo:word"]);
    request.setArgsList([end]);
    return request;
}

const started = (): Record<string, unknown> =>
    JSON.parse(readFileSync(path.join(folder, "started.json"), "utf8")) as Record<string, unknown>;

describe("run", () => {
    const run = async (
        end: string,
        options?: Record<string, JavaScriptValue>,
    ): Promise<language.RunResponse.AsObject> =>
        (
            await plugin.call(
                LanguageRuntimeService.run,
                runRequest(programInfo(folder, options), end),
            )
        ).toObject();

    test("starts the SDK's runner with addresses, project, configuration", async () => {
        expect(await run("0")).toEqual({ bail: false, error: "" });
        expect(started()).toEqual({
            args: [
                ["--monitor", "127.0.0.1:2"],
                ["--engine", ENGINE],
                ["--organization", "organization"],
                ["--project", "demo"],
                ["--root-directory", folder],
                ["--stack", "dev"],
                ["--pwd", folder],
                ["--parallel", "8"],
                ["main.ts", "0"],
            ].flat(),
            nodeArgs: [],
            config: { "demo:word": "sesame" },
            secretKeys: ["demo:word"],
            typescript: "true",
        });
    });
    test("takes the options of Pulumi.yaml", async () => {
        await run("0", { nodeargs: "--trace-warnings --no-deprecation", typescript: false });
        expect(started()).toMatchObject({
            nodeArgs: ["--trace-warnings", "--no-deprecation"],
            typescript: null,
        });
    });
    test("says nothing more of a failure that was reported", async () => {
        expect(await run("32")).toEqual({ bail: true, error: "" });
    });
    test("says the exit code of any other", async () => {
        expect(await run("7")).toEqual({ bail: false, error: "the program exited with code 7" });
    });
    test("is ended by a cancellation", async () => {
        rmSync(path.join(folder, "started.json"));
        const running = run("wait");
        while (!existsSync(path.join(folder, "started.json"))) {
            await sleep(20);
        }
        await plugin.call(LanguageRuntimeService.cancel, new Empty());
        expect(await running).toEqual({ bail: false, error: "the program was ended by SIGTERM" });
    });
    test("says where the SDK is missing", async () => {
        const empty = mkdtempSync(path.join(tmpdir(), "language-host-test-"));
        try {
            const response = await plugin.call(
                LanguageRuntimeService.run,
                runRequest(programInfo(empty), "0"),
            );
            expect(response.getError()).toContain(`${empty}: run npm install there`);
        } finally {
            rmSync(empty, { recursive: true, force: true });
        }
    });
});

test("the engine learns which plugins the installed packages need", async () => {
    const request = new language.GetRequiredPackagesRequest();
    request.setInfo(programInfo(path.resolve(__dirname, "../../..")));
    const response = await plugin.call(LanguageRuntimeService.getRequiredPackages, request);
    expect(
        response.getPackagesList().map((found) => [found.getName(), found.getVersion()]),
    ).toContainEqual(["tls", "v5.6.1"]);
});

test("dependencies are listed for pulumi about", async () => {
    const request = new language.GetProgramDependenciesRequest();
    request.setInfo(programInfo(path.resolve(__dirname, "../../..")));
    const response = await plugin.call(LanguageRuntimeService.getProgramDependencies, request);
    expect(response.getDependenciesList().map((found) => found.getName())).toContain(
        "@pulumi/pulumi",
    );
});
