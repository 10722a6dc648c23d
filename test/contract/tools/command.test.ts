import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";

import { COMMAND_PLUGIN_VERSION } from "../../../tools/engine/version";
import {
    COMMAND_INPUTS,
    COMMAND_PLUGIN,
    CONNECTION_INPUTS,
    COPY_INPUTS,
} from "../../../tools/stand-ins/command/names";
import { openSshForms } from "../../../tools/stand-ins/tls/openssh";
import { type Answer, type SshMachine, startSshMachine } from "../../support/ssh-machine";
import { type PluginProcess, startPlugin } from "./plugin-process";

// The stand-in as the engine drives it, against an SSH server that records.

type Properties = Record<string, JavaScriptValue>;

const keyPair = () => openSshForms(generateKeyPairSync("ed25519").privateKey, undefined);
const [host, user, stranger] = [keyPair(), keyPair(), keyPair()];

let plugin: PluginProcess;
let machine: SshMachine;
let answers: Record<string, Answer>;
beforeAll(async () => {
    plugin = await startPlugin("command", ["127.0.0.1:1"]);
    machine = await startSshMachine(
        () => ({ hostKey: host.privateKey, authorizedKey: user.publicKey }),
        (command) => answers[command] ?? { code: 0 },
    );
});
beforeEach(() => {
    answers = {};
    machine.executed.length = 0;
});
afterAll(async () => {
    await plugin.stop();
    await machine.close();
});

const connection = (more: Properties = {}): Properties => ({
    host: "127.0.0.1",
    port: machine.port,
    user: "root",
    privateKey: user.privateKey,
    hostKey: host.publicKey,
    dialErrorLimit: 0,
    ...more,
});
const struct = (properties: Properties) => Struct.fromJavaScript(properties);
const urn = (type: string) => `urn:pulumi:dev::demo::command:remote:${type}::one`;

async function create(type: string, inputs: Properties): Promise<Properties> {
    const request = new provider.CreateRequest();
    request.setUrn(urn(type));
    request.setProperties(struct(inputs));
    const response = await plugin.call(ResourceProviderService.create, request);
    return response.getProperties()?.toJavaScript() as Properties;
}

async function update(outputs: Properties, inputs: Properties): Promise<Properties> {
    const request = new provider.UpdateRequest();
    request.setUrn(urn("Command"));
    request.setOlds(struct(outputs));
    request.setNews(struct(inputs));
    const response = await plugin.call(ResourceProviderService.update, request);
    return response.getProperties()?.toJavaScript() as Properties;
}

async function remove(type: string, outputs: Properties): Promise<void> {
    const request = new provider.DeleteRequest();
    request.setUrn(urn(type));
    request.setProperties(struct(outputs));
    await plugin.call(ResourceProviderService.delete, request);
}

async function diff(old: Properties, news: Properties): Promise<[string[], string[]]> {
    const request = new provider.DiffRequest();
    request.setUrn(urn("Command"));
    request.setOlds(struct(old));
    request.setOldInputs(struct(old));
    request.setNews(struct(news));
    const response = await plugin.call(ResourceProviderService.diff, request);
    return [response.getDiffsList(), response.getReplacesList()];
}

describe("names are those of the SDK", () => {
    const sdk = path.dirname(require.resolve("@pulumi/command/package.json"));
    const text = (file: string) => readFileSync(path.join(sdk, file), "utf8");
    const membersOf = (file: string, name: string) => {
        const [, body = ""] = text(file).split(new RegExp(`interface ${name} \\{`));
        const [members = ""] = body.split(/^ {0,4}\}$/m);
        return [...members.matchAll(/^ +(\w+)\??: /gm)].map(([, member]) => member).sort();
    };

    test.each([
        ["remote/command.d.ts", "CommandArgs", COMMAND_INPUTS],
        ["remote/copyToRemote.d.ts", "CopyToRemoteArgs", COPY_INPUTS],
        ["types/input.d.ts", "ConnectionArgs", CONNECTION_INPUTS],
    ])("%s %s", (file, name, names) => expect(membersOf(file, name)).toEqual([...names].sort()));

    test("version", () => {
        const { version } = JSON.parse(text("package.json")) as { version: string };
        expect([COMMAND_PLUGIN.version, COMMAND_PLUGIN_VERSION]).toEqual([version, version]);
    });
});

describe("remote.Command", () => {
    test("runs with input and environment, and gives what was printed", async () => {
        answers["greet"] = { code: 0, stdout: "hello\n", stderr: "hm\n" };
        const inputs = { connection: connection(), create: "greet", stdin: "in" };
        const outputs = await create("Command", { ...inputs, environment: { NAME: "x" } });
        expect(machine.executed).toEqual([
            { command: "greet", environment: { NAME: "x" }, input: "in" },
        ]);
        expect(outputs).toMatchObject({ ...inputs, stdout: "hello", stderr: "hm" });
    });

    test("an update and a delete are told what was printed before, unless that is switched off", async () => {
        const inputs = { connection: connection(), create: "c", update: "u", delete: "d" };
        answers["u"] = { code: 0, stdout: "second\n" };
        const first = { ...inputs, stdout: "first", stderr: "" };
        const second = await update(first, inputs);
        await remove("Command", second);
        await update(first, { ...inputs, addPreviousOutputInEnv: false });
        expect(machine.executed.map(({ environment }) => environment)).toEqual([
            { PULUMI_COMMAND_STDOUT: "first", PULUMI_COMMAND_STDERR: "" },
            { PULUMI_COMMAND_STDOUT: "second", PULUMI_COMMAND_STDERR: "" },
            {},
        ]);
    });

    test("without a command for it, an update creates and a delete asks nobody", async () => {
        const inputs = { connection: connection(), create: "c" };
        await update({ ...inputs, stdout: "", stderr: "" }, inputs);
        await remove("Command", { ...inputs, connection: connection({ port: 1 }) });
        expect(machine.executed.map(({ command }) => command)).toEqual(["c"]);
    });

    test("a failure shows what was printed, and no key", async () => {
        answers["fail"] = { code: 3, stderr: "it broke" };
        const failure = create("Command", { connection: connection(), create: "fail" });
        await expect(failure).rejects.toThrow(/ended with 3:\nit broke/);
        await expect(failure).rejects.not.toThrow(/PRIVATE/);
    });

    test.each([
        ["another host key", { hostKey: stranger.publicKey }],
        ["a key that is not let in", { privateKey: stranger.privateKey }],
    ])("%s is refused, and nothing runs", async (_, other) => {
        const inputs = { connection: connection(other), create: "c" };
        await expect(create("Command", inputs)).rejects.toThrow(/cannot log in to 127.0.0.1/);
        expect(machine.executed).toEqual([]);
    });

    test("triggers replace, or update where there is a command for it; all else updates", async () => {
        const old = { connection: connection(), create: "c", triggers: ["1"] };
        expect(await diff(old, old)).toEqual([[], []]);
        expect(await diff(old, { ...old, create: "d" })).toEqual([["create"], []]);
        expect(await diff(old, { ...old, triggers: ["2"] })).toEqual([["triggers"], ["triggers"]]);
        const withUpdate = { ...old, update: "u" };
        const [, replaces] = await diff(withUpdate, { ...withUpdate, triggers: ["2"] });
        expect(replaces).toEqual([]);
    });
});

describe("remote.CopyToRemote", () => {
    const asset = (content: Properties): Properties => ({
        "4dabf18193072939515e22adb298388d": "c44067f5952c0a294b673a41bacd8c17",
        ...content,
    });

    test("copies a text and a file", async () => {
        const folder = mkdtempSync(path.join(tmpdir(), "command-test-"));
        const file = path.join(folder, "file");
        // More than one message of the protocol takes.
        writeFileSync(file, "x".repeat(100_000));
        const copy = (remotePath: string, source: Properties) =>
            create("CopyToRemote", { connection: connection(), remotePath, source });
        await copy("/run/text", asset({ text: "hello\n" }));
        await copy("/run/file", asset({ path: file }));
        rmSync(folder, { recursive: true });
        expect(machine.files).toMatchObject({
            "/run/text": "hello\n",
            "/run/file": "x".repeat(100_000),
        });
    });

    test("says what it cannot copy", async () => {
        const inputs = { connection: connection(), remotePath: "/x", source: { uri: "https://x" } };
        await expect(create("CopyToRemote", inputs)).rejects.toThrow(/official plugin/);
    });
});

test("a type that the plugin does not have is an error that names it", async () => {
    await expect(create("Other", {})).rejects.toThrow(/has no resource type command:remote:Other/);
});

test("a connection without a host, or through another machine, is refused before anything is done", async () => {
    const request = new provider.CheckRequest();
    request.setUrn(urn("Command"));
    request.setNews(struct({ connection: { proxy: { host: "x" } } }));
    const response = await plugin.call(ResourceProviderService.check, request);
    expect(response.getFailuresList().map((failure) => failure.getReason())).toEqual([
        expect.stringContaining("host is missing"),
        expect.stringContaining("does not support proxy"),
    ]);
});
