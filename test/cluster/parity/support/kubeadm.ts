import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { stringify } from "yaml";

import { binary, ensureBinaries } from "../../../../tools/binaries";
import { runCommand } from "../../../../tools/engine/command";
import { type Files, scenario } from "./scenario";

/** Path of kubeadm's binary, of the version we install; built from source unless the cache has it. */
async function kubeadmPath(): Promise<string> {
    await ensureBinaries(["kubernetes"], (line) => console.log(line));
    return binary("kubeadm");
}

/** What kubeadm says its version is. */
export async function kubeadmVersion(): Promise<string> {
    return (await kubeadm(["version", "--output=short"])).trim();
}

/**
 * Everything that the phases of `kubeadm init` write before a program is started, by path. kubeadm
 * itself changes its root to a folder of ours, so nothing else of this machine can be written.
 */
export async function kubeadmFiles(): Promise<Files> {
    const root = mkdtempSync(join(tmpdir(), "kubeadm-"));
    try {
        for (const folder of hostCaFolders) {
            mkdirSync(join(root, folder), { recursive: true });
        }
        writeFileSync(join(root, configuration), configurationText());
        for (const phase of phases) {
            await kubeadm([
                `--rootfs=${root}`,
                "init",
                "phase",
                ...phase,
                "--config",
                configuration,
            ]);
        }
        rmSync(join(root, configuration));
        return filesBelow(root);
    } finally {
        rmSync(root, { recursive: true, force: true });
    }
}

const phases = [
    ["certs", "all"],
    ["kubeconfig", "all"],
    ["control-plane", "all"],
    ["etcd", "local"],
    ["kubelet-start"],
] as const;

const configuration = "/kubeadm.yaml";

/** Those of a Debian node: kubeadm mounts the ones that are there. */
const hostCaFolders = [
    "/etc/ssl/certs",
    "/etc/ca-certificates",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
] as const;

function configurationText(): string {
    const apiVersion = "kubeadm.k8s.io/v1beta4";
    const { clusterName, clusterDomain, dnsName, nodeName, address } = scenario;
    return [
        {
            apiVersion,
            kind: "InitConfiguration",
            localAPIEndpoint: { advertiseAddress: address, bindPort: 6443 },
            nodeRegistration: {
                name: nodeName,
                criSocket: "unix:///run/containerd/containerd.sock",
            },
        },
        {
            apiVersion,
            kind: "ClusterConfiguration",
            // Named, or kubeadm asks the internet for the newest.
            kubernetesVersion: scenario.kubernetesVersion,
            clusterName,
            controlPlaneEndpoint: `${dnsName}:6443`,
            encryptionAlgorithm: "ECDSA-P256",
            networking: {
                serviceSubnet: scenario.serviceCidr,
                podSubnet: scenario.podCidr,
                dnsDomain: clusterDomain,
            },
        },
    ]
        .map((document) => stringify(document))
        .join("---\n");
}

/** Without this process's environment: kubeadm puts proxy variables into manifests. */
async function kubeadm(args: readonly string[]): Promise<string> {
    return runCommand({
        file: "env",
        args: ["-i", await kubeadmPath(), ...args],
        timeoutMs: 60_000,
    });
}

function filesBelow(root: string): Files {
    const entries = readdirSync(root, { recursive: true, withFileTypes: true });
    return Object.fromEntries(
        entries
            .filter((entry) => entry.isFile())
            .map((entry) => join(entry.parentPath, entry.name))
            .map((file) => [file.slice(root.length), readFileSync(file, "utf8")]),
    );
}
