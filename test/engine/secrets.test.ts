import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { setArguments } from "../../tools/playground/playground";
import {
    distinct,
    leaks,
    type Place,
    type Secret,
    secretsOfState,
    secretsWithin,
} from "../support/secrets";
import { type Bench, filesBelow, openBench, typeOf } from "./cluster/harness";
import { addFault, clearFaults, descendantsOf, up } from "./faults/support";

// Every secret that a run makes or is given is looked for in all that a run writes and prints.

let bench: Bench;
const outputs: Place[] = [];
let commandLines: Place[];
let secrets: Secret[];

beforeAll(async () => {
    bench = await openBench({ arguments: { controlPlaneCount: 1 } });
});
afterAll(() => bench?.close());

test("a run that fails, and runs of every kind", async () => {
    await addFault(bench, { operation: "vmCreate", kind: "status-403" });
    const failed = await up(bench.stack);
    await clearFaults(bench);
    expect([failed.code, failed.text]).toEqual([1, expect.stringContaining("answered 403")]);
    outputs.push({ name: "a failing up", text: failed.text });

    commandLines = await whileSampling(() => print(["up", "--yes", "--diff"]));
    await setArguments(bench.stack, ["apiServerExtraArgs.goaway-chance=0.002"]);
    await print(["preview", "--diff"]);
    await print(["refresh", "--yes", "--diff"]);
    const vm = (await bench.resources()).find((r) => typeOf(r) === "VirtualMachine")!;
    await print(["preview", "--diff", "--replace", vm.urn]);
    await print(["up", "--yes", "--diff", "--replace", vm.urn]);
    await print(["stack", "output"]);
});

test("its secrets are known, of every kind", async () => {
    const { folder, services, stack } = bench;
    const { stdout } = await stack.capture(["stack", "export", "--show-secrets"]);
    const given = ["EXCLOUD_API_KEY", "EXCLOUD_BOOTSTRAP_TOKEN"].map((kind) => ({
        kind,
        text: services.environment[kind]!,
    }));
    secrets = distinct([
        ...secretsOfState(stdout),
        ...filesBelow(join(folder.cloud, "nodes")).flatMap(secretsOfNodeFile),
        ...given,
        { kind: "passphrase", text: stack.options.env["PULUMI_CONFIG_PASSPHRASE"]! },
    ]);
    const kinds = secrets.map(({ kind }) => kind.replace(/ of .*/, ""));
    for (const [kind, least] of [
        ["PRIVATE KEY", 15],
        ["kubeconfig", 3],
        ["random text", 1],
        ["agent token", 1],
        ["EXCLOUD_API_KEY", 1],
        ["EXCLOUD_BOOTSTRAP_TOKEN", 1],
        ["passphrase", 1],
    ] as const) {
        const count = kinds.filter((found) => found.endsWith(kind)).length;
        expect([kind, count]).toEqual([kind, expect.any(Number)]);
        expect(count).toBeGreaterThanOrEqual(least);
    }
});

test("none is in the state, its history or its backups", () => {
    const files = filesBelow(bench.folder.state);
    expect(files.some((file) => file.includes("history"))).toBe(true);
    expect(files.some((file) => file.includes("backups"))).toBe(true);
    expect(leaks(secrets, read([...files, bench.folder.configFile]))).toEqual([]);
});

test("none is in a log of the local cloud, its nodes or the bootstrap server", () => {
    const { folder } = bench;
    const ofNodes = filesBelow(folder.cloud).filter((file) => file.endsWith(".log"));
    const files = [...ofNodes, folder.logFile("cloud"), folder.logFile("server")];
    expect(leaks(secrets, read(files))).toEqual([]);
});

test("none is on a command line while `up` runs", () => {
    const seen = commandLines.map(({ name }) => name).join("\n");
    for (const program of [/\bup\b.*--diff/, /cmd\/run/, /cmd\/dynamic-provider/, /local-cloud/]) {
        expect(seen).toMatch(program);
    }
    expect(leaks(secrets, commandLines)).toEqual([]);
});

test("none is in what was printed, to the end of the cluster", async () => {
    await print(["destroy", "--yes", "--diff"]);
    expect(leaks(secrets, outputs)).toEqual([]);
    expect(leaks(secrets, read(filesBelow(bench.folder.state)))).toEqual([]);
});

test("the scanner finds a secret that is planted in each kind of place", () => {
    const [planted] = secrets;
    for (const place of [outputs[0]!, commandLines[0]!, read([bench.folder.configFile])[0]!]) {
        const found = leaks([planted!], [{ ...place, text: `${place.text} ${planted!.text}` }]);
        expect(found).toEqual([`${planted!.kind} in ${place.name}`]);
    }
});

async function print(args: string[]): Promise<void> {
    const text = await bench.pulumi([
        ...args,
        ...(args.includes("--yes") ? ["--skip-preview"] : []),
    ]);
    outputs.push({ name: args.slice(0, 3).join(" "), text });
}

function read(files: readonly string[]): Place[] {
    return files.map((file) => ({ name: file, text: readFileSync(file, "utf8") }));
}

function secretsOfNodeFile(file: string): Secret[] {
    const text = readFileSync(file, "utf8");
    return file.endsWith("/agent-token")
        ? [{ kind: "agent token", text: text.trim() }]
        : secretsWithin(text, "node").filter(({ kind }) => !kind.startsWith("random text"));
}

/** The command lines of this test's processes, and of its services, during a run. */
async function whileSampling(run: () => Promise<void>): Promise<Place[]> {
    const seen = new Set<string>();
    let goesOn = true;
    const sampling = (async () => {
        while (goesOn) {
            ownProcesses()
                .map(commandLineOf)
                .forEach((line) => seen.add(line));
            await sleep(50);
        }
    })();
    await run();
    goesOn = false;
    await sampling;
    return [...seen].map((line) => ({ name: `command line ${line.slice(0, 200)}`, text: line }));
}

function ownProcesses(): number[] {
    const services = ["cloud", "server"].map(
        (name) =>
            (JSON.parse(readFileSync(bench.folder.readyFile(name), "utf8")) as { pid: number }).pid,
    );
    return [process.pid, ...services].flatMap((pid) => [pid, ...descendantsOf(pid)]);
}

function commandLineOf(pid: number): string {
    try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").join(" ");
    } catch {
        return ""; // ended meanwhile
    }
}
