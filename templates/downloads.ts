import type { Versions } from "./versions";

/** Machine architectures, as upstream names them. */
export type Architecture = "amd64" | "arm64";

/**
 * One thing the installer downloads. `ARCH` in an address stands for the architecture, `VERSION`
 * for the version and `NUMBER` for the version without its `v`.
 */
export interface Download {
    /** Name of the stamp that says which version a node has. */
    name: string;
    version: keyof Versions;
    /** Address without `https://`: a mirror holds the same paths below its own address. */
    address: string;
    /**
     * Upstream's list or file of SHA-256 digests, used when `sha256` does not know the version. It
     * comes from where the program comes from, so it guards against damage and mix-ups, not against
     * an upstream or a mirror that lies.
     */
    checksums: string;
    /**
     * Digests we know, by `version/architecture`; they win over upstream's file. The catalog below
     * holds none: every program is checked against `checksums`.
     */
    sha256: Readonly<Record<string, string>>;
    /** Where it goes: a file name for a plain program, a folder for an archive. */
    target: string;
    /** For an archive: leading path parts to drop, and which members to take (all when empty). */
    archive?: { strip: number; members: readonly string[] };
    /** A file that is there once it is installed. */
    proof: string;
}

/** Everything a control plane downloads. Adding a program is adding one entry. */
export const downloads: readonly Download[] = [
    {
        name: "kubelet",
        version: "kubernetes",
        address: "dl.k8s.io/VERSION/bin/linux/ARCH/kubelet",
        checksums: "dl.k8s.io/VERSION/bin/linux/ARCH/kubelet.sha256",
        sha256: {},
        target: "/usr/local/bin/kubelet",
        proof: "/usr/local/bin/kubelet",
    },
    {
        name: "kubectl",
        version: "kubernetes",
        address: "dl.k8s.io/VERSION/bin/linux/ARCH/kubectl",
        checksums: "dl.k8s.io/VERSION/bin/linux/ARCH/kubectl.sha256",
        sha256: {},
        target: "/usr/local/bin/kubectl",
        proof: "/usr/local/bin/kubectl",
    },
    {
        name: "containerd",
        version: "containerd",
        address:
            "github.com/containerd/containerd/releases/download/VERSION/containerd-NUMBER-linux-ARCH.tar.gz",
        checksums:
            "github.com/containerd/containerd/releases/download/VERSION/containerd-NUMBER-linux-ARCH.tar.gz.sha256sum",
        sha256: {},
        target: "/usr/local/bin",
        archive: { strip: 1, members: [] },
        proof: "/usr/local/bin/containerd",
    },
    {
        name: "runc",
        version: "runc",
        address: "github.com/opencontainers/runc/releases/download/VERSION/runc.ARCH",
        checksums: "github.com/opencontainers/runc/releases/download/VERSION/runc.sha256sum",
        sha256: {},
        target: "/usr/local/sbin/runc",
        proof: "/usr/local/sbin/runc",
    },
    {
        name: "cni-plugins",
        version: "cniPlugins",
        address:
            "github.com/containernetworking/plugins/releases/download/VERSION/cni-plugins-linux-ARCH-VERSION.tgz",
        checksums:
            "github.com/containernetworking/plugins/releases/download/VERSION/cni-plugins-linux-ARCH-VERSION.tgz.sha256",
        sha256: {},
        target: "/opt/cni/bin",
        archive: { strip: 0, members: [] },
        proof: "/opt/cni/bin/loopback",
    },
    {
        name: "etcd",
        version: "etcd",
        address: "github.com/etcd-io/etcd/releases/download/VERSION/etcd-VERSION-linux-ARCH.tar.gz",
        checksums: "github.com/etcd-io/etcd/releases/download/VERSION/SHA256SUMS",
        sha256: {},
        target: "/usr/local/bin",
        archive: {
            strip: 1,
            members: ["etcd-VERSION-linux-ARCH/etcd", "etcd-VERSION-linux-ARCH/etcdctl"],
        },
        proof: "/usr/local/bin/etcd",
    },
    {
        name: "helm",
        version: "helm",
        address: "get.helm.sh/helm-VERSION-linux-ARCH.tar.gz",
        checksums: "get.helm.sh/helm-VERSION-linux-ARCH.tar.gz.sha256sum",
        sha256: {},
        target: "/usr/local/bin",
        archive: { strip: 1, members: ["linux-ARCH/helm"] },
        proof: "/usr/local/bin/helm",
    },
];

/** One row of the installer's table: what the shell needs, addresses still with `ARCH`. */
export interface InstallItem {
    name: string;
    version: string;
    address: string;
    checksums: string;
    /** Digest for amd64 and arm64, `-` where we know none. */
    sha256: Readonly<Record<Architecture, string>>;
    target: string;
    strip: string;
    members: string;
    proof: string;
}

/** The installer's table for the chosen versions. `-` marks an empty field. */
export function installItems(versions: Versions): InstallItem[] {
    return downloads.map((item) => {
        const version = versions[item.version];
        const fill = (text: string) =>
            text.replaceAll("VERSION", version).replaceAll("NUMBER", version.replace(/^v/, ""));
        const digest = (arch: Architecture) => item.sha256[`${version}/${arch}`] ?? "-";
        return {
            name: item.name,
            version,
            address: fill(item.address),
            checksums: fill(item.checksums),
            sha256: { amd64: digest("amd64"), arm64: digest("arm64") },
            target: item.target,
            strip: item.archive === undefined ? "-" : String(item.archive.strip),
            members: item.archive?.members.map(fill).join(",") || "-",
            proof: item.proof,
        };
    });
}
