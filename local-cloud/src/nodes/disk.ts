import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import * as path from "node:path";

import type { Bundle } from "#contract/bundle";

import { writeFileAtomic } from "../state/files";
import type { BootstrapSettings } from "./user-data";

/** What a node keeps over a restart. */
export interface NodeRecord {
    readonly bundle: Bundle;
    readonly agentToken: string;
    /** Whether the node has been Ready once: its boot is over. */
    readonly ready: boolean;
}

const runtime = "/etc/exk8s/runtime";

/** The disk of a simulated node: a folder whose `root` stands for `/`. Owners are not applied. */
export class NodeDisk {
    constructor(private readonly folder: string) {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
    }

    get logFile(): string {
        return path.join(this.folder, "node.log");
    }

    read(): NodeRecord | undefined {
        return existsSync(this.recordFile)
            ? (JSON.parse(readFileSync(this.recordFile, "utf8")) as NodeRecord)
            : undefined;
    }

    keep(record: NodeRecord): void {
        writeFileAtomic(this.recordFile, JSON.stringify(record));
    }

    /** What the boot script leaves behind for the agent. */
    writeBootstrapFiles(settings: BootstrapSettings, vmId: number, record: NodeRecord): void {
        const { bundle } = record;
        this.write(`${runtime}/agent-token`, `${record.agentToken}\n`, "0600");
        this.write(`${runtime}/bootstrap-ca.pem`, settings.caPem, "0644");
        this.write(
            `${runtime}/bootstrap.env`,
            `BOOTSTRAP_BASE_URL='${settings.baseUrl}'\nNODE_NAME='${bundle.node_name}'\nVM_ID='${vmId}'\n`,
            "0644",
        );
    }

    /**
     * Writes what differs from the bundle that is on disk, removes what is no longer in it.
     *
     * @returns the paths that were written or removed
     */
    writeBundle(bundle: Bundle, before: Bundle | undefined): string[] {
        const changed = Object.keys(bundle.files).filter(
            (file) =>
                before?.files[file] !== bundle.files[file] ||
                before?.attributes[file]?.mode !== bundle.attributes[file]?.mode,
        );
        for (const file of changed) {
            this.write(file, bundle.files[file] ?? "", bundle.attributes[file]?.mode ?? "0600");
        }
        const gone = Object.keys(before?.files ?? {}).filter(
            (file) => bundle.files[file] === undefined,
        );
        for (const file of gone) {
            rmSync(path.join(this.root, file), { force: true });
        }
        const { generation, revision, etcd } = bundle;
        this.write(`${runtime}/peers.json`, `${JSON.stringify(bundle.peers)}\n`, "0644");
        this.write(
            `${runtime}/bundle.json`,
            `${JSON.stringify({ generation, revision, etcd })}\n`,
            "0644",
        );
        return [...changed, ...gone];
    }

    erase(): void {
        rmSync(this.folder, { recursive: true, force: true });
    }

    private get root(): string {
        return path.join(this.folder, "root");
    }

    private get recordFile(): string {
        return path.join(this.folder, "record.json");
    }

    /** Paths have passed the check that keeps them inside of the root. */
    private write(file: string, content: string, mode: string): void {
        writeFileAtomic(path.join(this.root, file), content, Number.parseInt(mode, 8));
    }
}
