import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, rm, rmdir, truncate, writeFile } from "node:fs/promises";
import * as path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { VmRow } from "../state/model";
import { imageFiles, kernelSettings } from "./adjustments";
import { run } from "./command";
import { addNode, nodeLink, type RealNetwork, removeNode } from "./network";

/** What all machines of a cloud share. */
export interface MachineSettings {
    /** Folder with one folder per VM. */
    readonly dir: string;
    /** Root file system of the machine image. */
    readonly image: string;
    /** Disk that new machines begin with, where there is one: what an image holds beyond `image`. */
    readonly disk: string;
    readonly network: RealNetwork;
}

/** How long systemd gets to come up, in milliseconds. */
const bootTimeoutMs = 30_000;
/** How long a graceful power-off may take before the power is cut, in milliseconds. */
const shutdownTimeoutMs = 30_000;
/** systemd's signals as PID 1: power off. */
const powerOffSignal = 34 + 4;

const gib = 1024 ** 3;

/** How a machine ended: by itself, with the reboot of its kernel or not. */
export type Ending = "reboot" | "power-off";

/** One VM as a booted systemd in namespaces of its own. */
export class Machine {
    private child: ChildProcess | undefined;
    private init: number | undefined;
    /** Set while the cloud itself ends the machine. */
    private isEnding = false;
    private readonly link;

    /** `ended` is told when the machine ended by itself. */
    constructor(
        private vm: VmRow,
        private readonly settings: MachineSettings,
        private readonly ended: (ending: Ending) => void,
    ) {
        this.link = nodeLink(settings.network, vm.vm_id);
    }

    get identity(): { vm_id: number; vm_name: string; address: string } {
        const { vm_id, name, interface: own } = this.vm;
        return { vm_id, vm_name: name, address: own.ipv4 };
    }

    /** Process id of the machine's init; undefined while it is off. */
    get pid(): number | undefined {
        return this.init;
    }

    /** The console, the latest lines last. */
    console(): string[] {
        const file = this.file("console.log");
        return existsSync(file) ? readFileSync(file, "utf8").trimEnd().split("\n").slice(-200) : [];
    }

    /**
     * Makes the disk unless there is one.
     *
     * @param snapshot disk that it begins with, where there is such a file
     */
    async prepare(rootVolumeBytes: number, snapshot: string): Promise<void> {
        const disk = this.file("disk.img");
        if (existsSync(disk)) {
            return;
        }
        await mkdir(this.folder, { recursive: true, mode: 0o700 });
        const partial = `${disk}.partial`;
        const begin = [snapshot, this.settings.disk].find((file) => existsSync(file));
        if (begin !== undefined) {
            await copySparse(begin, partial);
        } else {
            await makeFileSystem(partial, Math.max(rootVolumeBytes, gib));
        }
        await run("mv", partial, disk);
        await writeFile(this.file("machine-id"), randomBytes(16).toString("hex"));
    }

    /** Copies the disk as it is; of a machine that is off, it is whole. */
    async copyDisk(target: string): Promise<void> {
        await copySparse(this.file("disk.img"), `${target}.partial`);
        await run("mv", `${target}.partial`, target);
    }

    /**
     * Powers the machine on; ends when its systemd takes orders.
     *
     * @param vm its present addresses: a public one may be another after each start
     * @throws Error with the end of the console when it does not come up
     */
    async boot(vm: VmRow): Promise<void> {
        this.vm = vm;
        await this.writeSeed();
        await removeNode(this.link);
        const addresses = [this.vm.interface.ipv4, this.vm.public_ipv4].flatMap((a) => a ?? []);
        await addNode(this.settings.network, this.link, addresses);
        this.isEnding = false;
        const console = openSync(this.file("console.log"), "a", 0o600);
        const child = spawn(
            "setpriv",
            // When this process dies, however, its nodes lose their power.
            ["--pdeathsig", "KILL", "/bin/bash", path.join(__dirname, "boot-node.sh")],
            {
                env: {
                    PATH: process.env["PATH"],
                    IMAGE: this.settings.image,
                    DISK: this.file("disk.img"),
                    WORK: this.folder,
                    SEED: this.file("seed"),
                    SYSCTL: this.file("sysctl"),
                    NETNS: this.link.namespace,
                    HOSTNAME_: this.vm.name,
                },
                stdio: ["ignore", console, console],
                detached: true,
            },
        );
        closeSync(console);
        this.child = child;
        child.once("exit", (_code, signal) => void this.afterExit(child, signal));
        for (const end = Date.now() + bootTimeoutMs; Date.now() < end; await sleep(20)) {
            this.init = childOf(child.pid);
            if (this.init !== undefined && isUp(this.init)) {
                return;
            }
            if (child.exitCode !== null || child.signalCode !== null) {
                break;
            }
        }
        const tail = this.console().slice(-10).join("\n");
        await this.cutPower();
        throw new Error(`VM ${this.vm.vm_id} did not boot; the end of its console:\n${tail}`);
    }

    /** Lets systemd stop everything, and cuts the power when that takes too long. */
    async shutDown(): Promise<void> {
        this.isEnding = true;
        if (this.init !== undefined) {
            kill(this.init, powerOffSignal);
        }
        await this.exit(shutdownTimeoutMs);
        await this.cutPower();
    }

    /** Ends everything at once. */
    async cutPower(): Promise<void> {
        this.isEnding = true;
        if (this.init !== undefined) {
            kill(this.init, "SIGKILL");
        }
        await this.exit(5_000);
        if (this.child?.pid !== undefined) {
            kill(this.child.pid, "SIGKILL");
        }
        await this.cleanUp();
    }

    /** Deletes the disk and all else of a machine that is off. */
    async erase(): Promise<void> {
        await rm(this.folder, { recursive: true, force: true });
    }

    private get folder(): string {
        return path.join(this.settings.dir, String(this.vm.vm_id));
    }

    private file(name: string): string {
        return path.join(this.folder, name);
    }

    /** What the hypervisor and cloud-init give a VM, and the files that this kind of machine needs. */
    private async writeSeed(): Promise<void> {
        const { gateway } = this.settings.network;
        const files: Record<string, string> = {
            "/etc/hostname": `${this.vm.name}\n`,
            "/etc/hosts": `127.0.0.1 localhost\n127.0.1.1 ${this.vm.name}\n`,
            "/etc/resolv.conf": `nameserver ${gateway}\n`,
            "/etc/machine-id": `${readFileSync(this.file("machine-id"), "utf8")}\n`,
            ...(this.vm.user_data === null
                ? {}
                : { "/var/lib/excloud/user-data": this.vm.user_data }),
            ...imageFiles,
        };
        await writeTree(this.file("seed"), files, (name) =>
            name.endsWith("user-data") ? 0o600 : 0o644,
        );
        await writeTree(
            this.file("sysctl"),
            Object.fromEntries(kernelSettings.map(({ path: name, value }) => [name, `${value}\n`])),
        );
    }

    private async exit(timeoutMs: number): Promise<void> {
        const { child } = this;
        if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
            return;
        }
        await Promise.race([once(child, "exit"), sleep(timeoutMs, undefined, { ref: false })]);
    }

    private async afterExit(child: ChildProcess, signal: NodeJS.Signals | null): Promise<void> {
        if (this.child !== child) {
            return;
        }
        this.init = undefined;
        if (this.isEnding) {
            return;
        }
        await this.cleanUp();
        // What reboot(2) does to the init of a PID namespace: SIGHUP to reboot, SIGINT to power off.
        this.ended(signal === "SIGHUP" ? "reboot" : "power-off");
    }

    private async cleanUp(): Promise<void> {
        this.init = undefined;
        await removeNode(this.link);
        await removeCgroups(this.file("cgroups"));
    }
}

/** Copies a disk and writes it out at once, or that would be during a boot and slow it down. */
async function copySparse(from: string, to: string): Promise<void> {
    await run("cp", "--sparse=always", from, to);
    await run("sync", to);
}

/** Makes an empty disk. */
async function makeFileSystem(file: string, bytes: number): Promise<void> {
    await writeFile(file, "");
    await truncate(file, bytes);
    await run(
        "mkfs.ext4",
        ...["-q", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", "-m", "0", file],
    );
}

/** Removes the cgroups that a file lists, with all below them, after killing what is left in them. */
export async function removeCgroups(list: string): Promise<void> {
    if (!existsSync(list)) {
        return;
    }
    const folders = readFileSync(list, "utf8")
        .split("\n")
        .filter((line) => existsSync(line));
    for (let tries = 0; tries < 100 && folders.some((folder) => existsSync(folder)); tries++) {
        for (const folder of folders) {
            await removeCgroup(folder);
        }
        await sleep(20);
    }
    await rm(list, { force: true });
}

async function removeCgroup(folder: string): Promise<void> {
    if (!existsSync(folder)) {
        return;
    }
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (entry.isDirectory()) {
            await removeCgroup(path.join(folder, entry.name));
        }
    }
    for (const pid of readPids(path.join(folder, "cgroup.procs"))) {
        kill(pid, "SIGKILL");
    }
    await rmdir(folder).catch(() => undefined);
}

function readPids(file: string): number[] {
    try {
        return readFileSync(file, "utf8").split("\n").filter(Boolean).map(Number);
    } catch {
        return [];
    }
}

/** Writes files below a folder, which is made anew. */
async function writeTree(
    root: string,
    files: Readonly<Record<string, string>>,
    modeOf: (name: string) => number = () => 0o644,
): Promise<void> {
    await rm(root, { recursive: true, force: true });
    for (const [name, text] of Object.entries(files)) {
        const file = path.join(root, name);
        await mkdir(path.dirname(file), { recursive: true });
        await writeFile(file, text, { mode: modeOf(name) });
    }
}

/** The only child of a process. */
function childOf(pid: number | undefined): number | undefined {
    if (pid === undefined) {
        return undefined;
    }
    try {
        const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
        return first ? Number(first) : undefined;
    } catch {
        return undefined;
    }
}

/** Whether this is systemd and it takes orders. */
const isUp = (pid: number): boolean => existsSync(`/proc/${pid}/root/run/systemd/private`);

function kill(pid: number, signal: NodeJS.Signals | number): void {
    try {
        process.kill(pid, signal);
    } catch {
        // It has ended already.
    }
}
