import { chmod, copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import * as path from "node:path";

import type { InstallItem } from "#nodes/downloads";
import { installItems } from "#nodes/role-files";
import { defaultVersions } from "#nodes/versions";

import { runCommand } from "../engine/command";
import type { Report } from "../engine/engine";
import { binary, ensureBinaries, toolDigest } from "./build";
import { former, formerKubernetes, toolOf } from "./catalog";
import type { PackedChart } from "./charts";
import { sha256OfFile, TAR_FLAGS } from "./oci-layout";
import { architecture } from "./requirements";
import { digestOf, ensurePart, sourceOf } from "./store";

/** How upstream offers one of the product's downloads. */
interface Offer {
    /** A program as it is, or an archive: program by place. `ARCH` and `VERSION` as in the downloads. */
    readonly content: string | Readonly<Record<string, string>>;
    /** A file with the digest alone, or a list of `digest  name`. */
    readonly checksums: "digest" | "list";
}

/** Places programs in a folder of an archive. */
const inFolder = (folder: string, ...programs: string[]): Record<string, string> =>
    Object.fromEntries(programs.map((program) => [path.join(folder, program), program]));

/** Each download by its name; its addresses and versions are the product's. */
export const offers: Readonly<Record<string, Offer>> = {
    kubelet: { content: "kubelet", checksums: "digest" },
    kubectl: { content: "kubectl", checksums: "digest" },
    containerd: {
        content: inFolder("bin", "containerd", "containerd-shim-runc-v2", "ctr"),
        checksums: "list",
    },
    runc: { content: "runc", checksums: "list" },
    "cni-plugins": {
        content: inFolder(".", "bridge", "firewall", "host-local", "loopback", "portmap", "ptp"),
        checksums: "list",
    },
    etcd: { content: inFolder("etcd-VERSION-linux-ARCH", "etcd", "etcdctl"), checksums: "list" },
    helm: { content: inFolder("linux-ARCH", "helm"), checksums: "list" },
};

const tarTimeoutMs = 5 * 60_000;
const helmTimeoutMs = 60_000;

/**
 * A folder with everything a node downloads, at the paths of upstream's addresses, each with its
 * checksums.
 *
 * @param charts in upstream's chart repositories
 * @param withFormer whether {@link formerKubernetes} is offered too
 */
export async function ensureMirror(
    charts: readonly PackedChart[],
    withFormer: boolean,
    report: Report,
): Promise<string> {
    const offered = [...newest(), ...(withFormer ? ofFormer() : [])];
    const programs = offered.flatMap(({ content }) => programsOf(content));
    const tools = [...new Set([...programs, ...charts.map(() => "helm")].map(toolOf))];
    return await ensurePart(
        {
            name: `mirror-with-${charts.length}-charts`,
            digest: digestOf(offered, tools.map(toolDigest), charts, sourceOf("mirror")),
            async make(folder) {
                await ensureBinaries(tools, report);
                for (const one of offered) {
                    await place(one, folder);
                }
                for (const chart of charts) {
                    await placeChart(chart, folder);
                }
            },
        },
        report,
    );
}

/** A download and how it is offered. */
interface Offered extends Offer {
    readonly item: InstallItem;
}

const newest = (): Offered[] =>
    installItems("control-plane", defaultVersions).map((item) => ({ item, ...offerOf(item.name) }));

function ofFormer(): Offered[] {
    const items = installItems("control-plane", {
        ...defaultVersions,
        kubernetes: formerKubernetes,
    });
    return items
        .filter(({ version }) => version === formerKubernetes)
        .map((item) => ({ item, ...offerOf(item.name), content: former(item.name) }));
}

function offerOf(name: string): Offer {
    const offer = offers[name];
    if (offer === undefined) {
        throw new Error(`the download ${name} has no entry in the mirror's table of offers`);
    }
    return offer;
}

const programsOf = (content: Offer["content"]): string[] =>
    typeof content === "string" ? [content] : Object.values(content);

async function place({ item, content, checksums }: Offered, folder: string): Promise<void> {
    const fill = (text: string): string =>
        text.replaceAll("ARCH", architecture()).replaceAll("VERSION", item.version);
    const file = path.join(folder, fill(item.address));
    await mkdir(path.dirname(file), { recursive: true });
    if (typeof content === "string") {
        await copyFile(binary(content), file);
    } else {
        const places = Object.entries(content).map(([place, name]) => [fill(place), name] as const);
        await writeArchive(file, places, `${file}.content`);
    }
    const digest = await sha256OfFile(file);
    await writeFile(
        path.join(folder, fill(item.checksums)),
        checksums === "digest" ? digest : `${digest}  ${path.basename(file)}\n`,
    );
}

async function writeArchive(
    file: string,
    places: readonly (readonly [string, string])[],
    scratch: string,
): Promise<void> {
    for (const [place, program] of places) {
        const target = path.join(scratch, place);
        await mkdir(path.dirname(target), { recursive: true });
        await copyFile(binary(program), target);
        await chmod(target, 0o755);
    }
    const members = [...new Set(places.map(([place]) => place.split("/")[0]!))];
    await runCommand({
        file: "tar",
        args: [
            ...TAR_FLAGS,
            // Packing and unpacking take more time here than the room they save.
            ...["--use-compress-program", "gzip -1 -n"],
            ...["-C", scratch, "-cf", file, ...members],
        ],
        timeoutMs: tarTimeoutMs,
    });
    await rm(scratch, { recursive: true });
}

async function placeChart({ file, repository }: PackedChart, folder: string): Promise<void> {
    const charts = path.join(folder, repository);
    await mkdir(charts, { recursive: true });
    await copyFile(file, path.join(charts, path.basename(file)));
    await runCommand({
        file: binary("helm"),
        args: ["repo", "index", charts],
        timeoutMs: helmTimeoutMs,
    });
}
