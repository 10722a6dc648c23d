import { chmodSync, mkdirSync, readdirSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { copyFile, mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

import {
    clusterEnvPath,
    clusterSettings,
    imageFiles,
    type Mirrors,
    nodeFilesFor,
    paths,
    type Values,
} from "../../../dist/nodes";
import { writeLayout } from "../../../tools/dist/binaries/oci-layout";
import { runCommand } from "../../../tools/dist/engine/command";
import type { Folder } from "../../../tools/dist/playground/folder";
import type { Cloud } from "./cloud";
import { etcdImage, kubeletUnit } from "./kubeadm-node";
import { type RunningNode, waitFile } from "./node";

/** Removed at the end: what was needed, and what the machine wrote of itself. */
const removed: readonly string[] = [
    ...imageFiles.needed,
    "/etc/exk8s",
    paths.log,
    "/etc/machine-id",
    "/etc/hostname",
    "/var/log/journal",
    "/root/etcd-image.tar",
];

const untilTold = `[Unit]\nConditionPathExists=!${waitFile}\n`;

/** Time for pulling all images, in milliseconds. */
const pullTimeoutMs = 10 * 60_000;

/**
 * A folder of artifacts like the given one, which may get the disk of a baked image: while it has none,
 * machines start with an empty disk.
 */
export function artifactsToBake(artifacts: string, folder: string): string {
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(artifacts)) {
        symlinkSync(join(artifacts, name), join(folder, name));
    }
    return folder;
}

/**
 * Bakes the image that both contestants boot from, as the disk of all machines from now on: every
 * program installed by our own installer, every container image unpacked, kubeadm and its unit of the
 * kubelet beside them.
 *
 * @param images names of the images that a cluster pulls
 * @param artifacts as {@link artifactsToBake} made it, and as the cloud was given it
 */
export async function bake(
    cloud: Cloud,
    { cloud: cloudFolder }: Folder,
    artifacts: string,
    mirrors: Mirrors,
    images: readonly string[],
): Promise<void> {
    const vmId = await cloud.createVm("baker");
    await cloud.untilState(vmId, "RUNNING");
    const node = await cloud.node("baker");
    // systemd empties /tmp on its way up.
    await node.run("sh", "-c", "systemctl is-system-running --wait || true");
    await install(node, mirrors);
    await placeKubeadm(node, artifacts);
    await node.run("systemctl", "daemon-reload");
    await node.run("systemctl", "enable", "--now", "containerd");
    for (const image of images) {
        await node.run(...["ctr", "--namespace", "k8s.io", "images", "pull"], ...hosts, image);
    }
    await importEtcdImage(node, artifacts);
    await node.run("rm", "-rf", ...removed);
    place(node, `${paths.systemd}/excloud-user-data.service.d/wait.conf`, untilTold, 0o644);
    place(node, waitFile, "", 0o644);
    await cloud.call("vmStop", { vm_id: vmId });
    await cloud.untilState(vmId, "STOPPED");
    renameSync(join(cloudFolder, "nodes", String(vmId), "disk.img"), join(artifacts, "disk.img"));
    await cloud.terminate(vmId);
}

const hosts = ["--hosts-dir", "/etc/containerd/certs.d"] as const;

async function install(node: RunningNode, mirrors: Mirrors): Promise<void> {
    const settings = clusterSettings({ mirrors });
    const values: Partial<Values> = {
        settings,
        role: "control-plane",
        clusterId: 1,
        clusterName: "baked",
        dnsName: "baked.invalid",
    };
    // The parameters of a cluster name its mirrors.
    const wanted: readonly string[] = [clusterEnvPath, ...imageFiles.kept, ...imageFiles.needed];
    for (const { path, mode, render } of nodeFilesFor(settings, "control-plane", "role")) {
        if (wanted.includes(path)) {
            place(node, path, render(values), Number.parseInt(mode, 8));
        }
    }
    await node.run(`${paths.bin}/exk8s-install-control-plane-prereqs.sh`);
}

async function placeKubeadm(node: RunningNode, artifacts: string): Promise<void> {
    const program = node.path("/usr/local/bin/kubeadm");
    await copyFile(join(artifacts, "bin", "kubeadm"), program);
    chmodSync(program, 0o755);
    place(node, "/usr/lib/systemd/system/kubelet.service", kubeletUnit, 0o644);
}

/** kubeadm runs etcd in a container, so that one program needs an image more. */
async function importEtcdImage(node: RunningNode, artifacts: string): Promise<void> {
    const scratch = join(artifacts, "etcd-image");
    const program = join(scratch, "root/usr/local/bin/etcd");
    await mkdir(dirname(program), { recursive: true });
    await copyFile(join(artifacts, "bin", "etcd"), program);
    chmodSync(program, 0o755);
    await writeLayout(join(scratch, "root"), {}, join(scratch, "layout"));
    const archive = node.path("/root/etcd-image.tar");
    await runCommand({
        file: "tar",
        args: ["-C", join(scratch, "layout"), "-cf", archive, "."],
        timeoutMs: pullTimeoutMs,
    });
    await node.run(
        ...["ctr", "--namespace", "k8s.io", "images", "import", "--index-name", etcdImage],
        "/root/etcd-image.tar",
    );
    await rm(scratch, { recursive: true });
}

function place(node: RunningNode, path: string, text: string, mode: number): void {
    mkdirSync(node.path(dirname(path)), { recursive: true });
    writeFileSync(node.path(path), text);
    chmodSync(node.path(path), mode);
}
