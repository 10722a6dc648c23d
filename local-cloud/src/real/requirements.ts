import { accessSync, constants, existsSync } from "node:fs";
import * as path from "node:path";

/** Programs that real nodes are made with, and the Debian package of each. */
const programs: Readonly<Record<string, string>> = {
    ip: "iproute2",
    nsenter: "util-linux",
    unshare: "util-linux",
    setpriv: "util-linux",
    "mkfs.ext4": "e2fsprogs",
    bash: "bash",
};

/** What this machine lacks for real nodes; empty when it can have them. */
export function missingForRealNodes(): string[] {
    if (process.platform !== "linux") {
        return ["Linux"];
    }
    const lacking = Object.entries(programs)
        .filter(([program]) => !isOnPath(program))
        .map(([program, from]) => `${program} (Debian package ${from})`);
    return [
        ...(process.getuid?.() === 0 ? [] : ["root"]),
        ...lacking,
        ...(existsSync("/dev/loop-control") ? [] : ["loop devices (/dev/loop-control)"]),
        ...(existsSync("/sys/fs/cgroup/memory")
            ? []
            : ["cgroup v1 controllers (/sys/fs/cgroup/memory)"]),
    ];
}

/** @throws Error that names all that is missing, when this machine cannot have real nodes */
export function requireRealNodes(): void {
    const missing = missingForRealNodes();
    if (missing.length > 0) {
        throw new Error(
            `Real nodes need what this machine does not have: ${missing.join(", ")}. ` +
                "Simulated nodes need none of it.",
        );
    }
}

function isOnPath(program: string): boolean {
    return (process.env["PATH"] ?? "").split(":").some((folder) => {
        try {
            accessSync(path.join(folder, program), constants.X_OK);
            return true;
        } catch {
            return false;
        }
    });
}
