import { renderTemplate } from "../../templates/render";
import { file, unit, unitPath } from "../file";
import { program } from "../program";

const binary = "/usr/local/bin/containerd";
const config = "/etc/containerd/config.toml";

/** containerd, with runc and the plugins that join pods to a network. */
export const containerd = program({
    name: "containerd",
    files: [
        unit("containerd", "containerd.service"),
        file({
            path: config,
            needs: ["settings"],
            render: ({ settings }) => renderTemplate("containerd/config.toml", { settings }),
        }),
        file({
            path: "/etc/containerd/certs.d/_default/hosts.toml",
            needs: ["settings"],
            when: ({ mirrors }) => mirrors.images !== "",
            render: ({ settings }) => renderTemplate("containerd/hosts.toml", { settings }),
        }),
    ],
    downloads: [
        {
            name: "containerd",
            version: "containerd",
            address:
                "github.com/containerd/containerd/releases/download/VERSION/containerd-NUMBER-linux-ARCH.tar.gz",
            checksums:
                "github.com/containerd/containerd/releases/download/VERSION/containerd-NUMBER-linux-ARCH.tar.gz.sha256sum",
            target: "/usr/local/bin",
            archive: { strip: 1, members: [] },
            proof: binary,
        },
        {
            name: "runc",
            version: "runc",
            address: "github.com/opencontainers/runc/releases/download/VERSION/runc.ARCH",
            checksums: "github.com/opencontainers/runc/releases/download/VERSION/runc.sha256sum",
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
            target: "/opt/cni/bin",
            archive: { strip: 0, members: [] },
            proof: "/opt/cni/bin/loopback",
        },
    ],
    images: ({ versions }) => [`registry.k8s.io/pause:${versions.pause}`],
    units: ["containerd"],
    reactions: [
        { action: "restart:containerd", to: [binary, unitPath("containerd.service"), config] },
    ],
});
