import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { REPOSITORY } from "../../../tools/engine/repository";

/** What the cloud keeps of a VM. */
interface VmRow {
    readonly vm_id: number;
    readonly name: string;
    readonly state: string;
    readonly user_data: string;
    readonly public_ipv4: string | null;
    readonly interface: { readonly ipv4: string };
}

const intervalMs = 100;

/**
 * What simulated VMs do not do: runs the real bootstrap server for each VM of an `ExcloudBootstrapServer`, at the
 * VM's address, with the files that its user data writes. `test/cluster` runs the user data itself.
 */
export class VmServers {
    private readonly servers = new Map<number, ChildProcess>();
    private readonly timer = setInterval(() => this.look(), intervalMs);

    /** @param folder of the cloud; the servers' data goes beside it */
    constructor(private readonly folder: string) {}

    /** What the user data of the server's VM writes, by file name. */
    files(): Record<string, string> {
        const [vm] = this.vms();
        return filesOf(vm?.user_data ?? "");
    }

    async close(): Promise<void> {
        clearInterval(this.timer);
        for (const server of this.servers.values()) {
            if (server.exitCode === null && server.signalCode === null) {
                server.kill("SIGKILL");
                await once(server, "exit");
            }
        }
    }

    private vms(): VmRow[] {
        const file = join(this.folder, "state/vms.json");
        const rows = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as VmRow[]) : [];
        return rows.filter(({ name }) => name.startsWith("bootstrap-"));
    }

    private look(): void {
        for (const vm of this.vms()) {
            if (vm.state === "RUNNING" && !this.servers.has(vm.vm_id)) {
                this.servers.set(vm.vm_id, this.serve(vm));
            }
        }
    }

    private serve(vm: VmRow): ChildProcess {
        // Where the program reaches it; on a VM both addresses lead to it.
        const address = vm.public_ipv4 ?? vm.interface.ipv4;
        const files = filesOf(vm.user_data);
        const folder = join(`${this.folder}-servers`, String(vm.vm_id));
        const dataDir = join(folder, "data");
        mkdirSync(join(dataDir, "tls"), { recursive: true, mode: 0o700 });
        const write = (name: string, text = "") => {
            const path = join(folder, name);
            writeFileSync(path, text, { mode: 0o600 });
            return path;
        };
        write("data/tls/ca.crt", files["ca.crt"]);
        write("data/tls/ca.key", files["ca.key"]);
        return spawn(
            process.execPath,
            [
                ...[join(REPOSITORY, "bootstrap-server/dist/main.js"), "serve"],
                ...["--config", write("config.yaml", files["config.json"])],
                ...["--listen", `${address}:8443`, "--data-dir", dataDir, "--host", address],
            ],
            {
                env: {
                    PATH: process.env["PATH"],
                    EXCLOUD_API_KEY_FILE: write("api-key", files["api-key"]),
                },
                stdio: ["ignore", "ignore", "inherit"],
            },
        );
    }
}

/** By the last part of the path that stands before each text. */
function filesOf(userData: string): Record<string, string> {
    return Object.fromEntries(
        [...userData.matchAll(/^place [^\n]*\/([^/"\n]+)"? <<'END'\n(.*?)^END$/gms)].map(
            ([, name = "", content = ""]) => [name, content],
        ),
    );
}
