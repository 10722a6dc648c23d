import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import {
    clusterSettings,
    type NodeFile,
    nodeFilesFor,
    type ValueName,
    type Values,
} from "../../dist/nodes";
import { nameOf, shortType, type StateResource } from "./state";
import { summarize, type Summary } from "./statistics";

/** How fast the bytes of one node's files are made by rendering, and by two ways without rendering. */
export interface RenderingFigures {
    readonly files: number;
    readonly bytes: number;
    /** The first pass of a process, which also compiles the templates; milliseconds. */
    readonly firstPass: number;
    /** Files per second of later passes. */
    readonly rendered: Summary;
    /** Texts with marks in place of the node's values, filled in by `String.prototype.replaceAll`. */
    readonly replaced: Summary;
    /** The rendered files, read from disk. */
    readonly read: Summary;
}

const warmUp = 5;
const rounds = 15;
const passesPerRound = 10;

/**
 * Renders the files of `cp-1` with the values that a real `up` had, again and again.
 *
 * @param resources the state after that `up`, with secrets in the clear
 * @param folder a folder to write the files to, for reading them again
 * @throws Error when what is rendered is not what the `up` gave to the node
 */
export function measureRendering(
    resources: readonly StateResource[],
    bootstrapServer: { url: string; caPem: string },
    folder: string,
): RenderingFigures {
    const settings = clusterSettings({ bootstrapServer });
    const specs = [
        ...nodeFilesFor(settings, "control-plane", "role"),
        ...nodeFilesFor(settings, "control-plane", "node"),
    ];
    const values = valuesOf(resources, { settings, role: "control-plane" }, specs);

    const before = performance.now();
    const texts = specs.map((spec) => spec.render(values));
    const firstPass = performance.now() - before;

    mustBeDeployed(resources, specs, texts);
    const ways = {
        rendered: () => specs.map((spec) => Buffer.from(spec.render(values))),
        replaced: replacing(specs, texts, values),
        read: reading(specs, texts, folder),
    };
    const speeds = { rendered: [] as number[], replaced: [] as number[], read: [] as number[] };
    for (let round = -warmUp; round < rounds; round += 1) {
        for (const way of Object.keys(ways) as (keyof typeof ways)[]) {
            const began = performance.now();
            for (let pass = 0; pass < passesPerRound; pass += 1) {
                ways[way]();
            }
            const seconds = (performance.now() - began) / 1000;
            if (round >= 0) {
                speeds[way].push((specs.length * passesPerRound) / seconds);
            }
        }
    }
    return {
        files: specs.length,
        bytes: texts.reduce((total, text) => total + Buffer.byteLength(text), 0),
        firstPass,
        rendered: summarize(speeds.rendered),
        replaced: summarize(speeds.replaced),
        read: summarize(speeds.read),
    };
}

/** The values of `cp-1`, from the resources that gave them to the program. */
function valuesOf(
    resources: readonly StateResource[],
    plain: Pick<Values, "settings" | "role">,
    specs: readonly NodeFile[],
): Values {
    const output = (type: RegExp, name: RegExp, key: string): unknown => {
        const found = resources.find(
            (one) => type.test(shortType(one.type)) && name.test(nameOf(one.urn)),
        );
        const value = found?.outputs?.[key];
        return isSecret(value) ? JSON.parse(value.plaintext) : value;
    };
    const values: Record<string, unknown> = {
        ...plain,
        clusterId: output(/^ClusterRegistration$/, /./, "clusterId"),
        clusterName: output(/^ClusterRegistration$/, /./, "clusterName"),
        dnsName: `${String(output(/^DnsRecord$/, /./, "name"))}.${String(output(/^DnsRecord$/, /./, "zoneName"))}`,
        nodeName: output(/^NodeSlot$/, /-cp-1$/, "nodeName"),
        privateIpv4: output(/^NodeAddress$/, /-cp-1$/, "privateIpv4"),
        privateIpv6: output(/^NodeAddress$/, /-cp-1$/, "privateIpv6"),
        publicIpv4: output(/^NodeAddress$/, /-cp-1$/, "publicIpv4"),
    };
    for (const need of new Set(specs.flatMap(({ needs }) => needs))) {
        const [, kind, name] = /^(cert|key):(.*)$/.exec(need) ?? [];
        if (name !== undefined) {
            const owner = new RegExp(`^[^-]+-(cp-1-)?${name}$`);
            values[need] =
                kind === "key"
                    ? output(/^PrivateKey$/, owner, "privateKeyPem")
                    : output(/SignedCert$/, owner, "certPem");
        }
    }
    return values as unknown as Values;
}

function isSecret(value: unknown): value is { plaintext: string } {
    return typeof value === "object" && value !== null && "plaintext" in value;
}

/** The plain files of a state are `mode owner`, a line break, and the text. */
function mustBeDeployed(
    resources: readonly StateResource[],
    specs: readonly NodeFile[],
    texts: readonly string[],
): void {
    const deployed = resources
        .filter(
            ({ type, urn }) =>
                shortType(type) === "RoleFiles" ||
                (shortType(type) === "NodeBundle" && nameOf(urn).endsWith("-cp-1")),
        )
        .reduce<Record<string, string>>(
            (all, { inputs }) => ({ ...all, ...(inputs?.["files"] as Record<string, string>) }),
            {},
        );
    const other = specs.find(({ path, mode, owner, secret }, index) => {
        return !secret && deployed[path] !== `${mode} ${owner}\n${texts[index]}`;
    });
    if (other !== undefined) {
        throw new Error(`${other.path} is rendered other than the cluster's node has it`);
    }
}

/** Fills marked texts; gives the same bytes as rendering. */
function replacing(
    specs: readonly NodeFile[],
    texts: readonly string[],
    values: Values,
): () => Buffer[] {
    const marked = specs.map(({ needs }, index) => {
        const marks = needs
            .flatMap((need) => spellings(need, values))
            .sort((a, b) => b.length - a.length)
            .map((value, at) => ({ mark: `\u0001${at}\u0001`, value }));
        const text = marks.reduce(
            (rest, { mark, value }) => rest.replaceAll(value, mark),
            texts[index] ?? "",
        );
        return { text, marks };
    });
    const fill = () =>
        marked.map(({ text, marks }) =>
            Buffer.from(
                marks.reduce((rest, { mark, value }) => rest.replaceAll(mark, value), text),
            ),
        );
    fill().forEach((bytes, index) => {
        if (bytes.toString() !== texts[index]) {
            throw new Error(`${specs[index]?.path}: replacing does not give the rendered text`);
        }
    });
    return fill;
}

/** How a value is written in files: as it is, and as base64. Settings stay part of the text. */
function spellings(need: ValueName, values: Values): string[] {
    const value = need === "settings" ? "" : String(values[need]);
    return value === "" ? [] : [value, Buffer.from(value).toString("base64")];
}

function reading(
    specs: readonly NodeFile[],
    texts: readonly string[],
    folder: string,
): () => Buffer[] {
    const files = specs.map(({ path, mode }, index) => {
        const file = join(folder, path);
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, texts[index] ?? "", { mode: Number.parseInt(mode, 8) });
        return file;
    });
    return () => files.map((file) => readFileSync(file));
}
