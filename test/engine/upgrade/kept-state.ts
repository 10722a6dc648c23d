import {
    existsSync,
    mkdirSync,
    mkdtempSync,
    readdirSync,
    readFileSync,
    writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";

import { engineEnvironment } from "../../../tools/engine";
import { Stack } from "../../../tools/engine/stack";
import { folderAt, stackName } from "../../../tools/playground/folder";
import type { Bench } from "../cluster/harness";

/** The quickstart's stack as a release left it. The keys in it are those of a cluster that is gone. */
interface KeptState {
    /** Text of `Pulumi.playground.yaml`. */
    readonly config: string;
    readonly passphrase: string;
    /** What `pulumi stack export` gives. */
    readonly state: object;
}

const folder = join(__dirname, "states");
const fileOf = (release: string): string => join(folder, `${release}.json.gz`);

/** The releases whose states are kept. */
export const releases = readdirSync(folder).map((name) => name.replace(/\.json\.gz$/, ""));

/** Where a program's lines were on the machine that ran it says nothing to others. */
const withoutPlaces = (key: string, value: unknown): unknown =>
    key === "sourcePosition" || key === "stackTrace" ? undefined : value;

/** Keeps the state of a bench as that of a release; what was kept of it is never changed. */
export async function keep(release: string, bench: Bench): Promise<void> {
    if (existsSync(fileOf(release))) {
        throw new Error(`the state of ${release} is kept already`);
    }
    const { stdout } = await bench.stack.capture(["stack", "export"]);
    const kept: KeptState = {
        config: readFileSync(bench.folder.configFile, "utf8"),
        passphrase: readFileSync(bench.folder.passphraseFile, "utf8"),
        state: JSON.parse(stdout, withoutPlaces) as object,
    };
    writeFileSync(fileOf(release), gzipSync(JSON.stringify(kept), { level: 9 }));
}

/** The stack of a release on the present code: no cloud and no bootstrap server is there. */
export async function stackOf(release: string): Promise<Stack> {
    const text = gunzipSync(readFileSync(fileOf(release))).toString();
    const { config, passphrase, state } = JSON.parse(text) as KeptState;
    const place = folderAt(mkdtempSync(join(tmpdir(), "kept-state-")));
    mkdirSync(place.state, { recursive: true });
    const program = join(__dirname, "../../../examples/quickstart");
    writeFileSync(place.projectFile, `name: quickstart\nruntime: nodejs\nmain: ${program}\n`);
    writeFileSync(place.configFile, config);
    const { pulumi, env } = await engineEnvironment({
        home: place.home,
        backend: pathToFileURL(place.state).href,
        passphrase,
    });
    const stack = new Stack({ pulumi, env, project: place.root, name: stackName });
    await stack.ensure();
    const file = join(place.root, "state.json");
    writeFileSync(file, JSON.stringify(state));
    const { code, stderr } = await stack.capture(["stack", "import", "--file", file]);
    if (code !== 0) {
        throw new Error(`the state of ${release} cannot be imported: ${stderr}`);
    }
    return stack;
}
