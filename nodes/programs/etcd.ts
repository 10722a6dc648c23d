import { renderTemplate } from "../../templates/render";
import { pem } from "../certificates";
import { file, script, scriptContext, unitPath } from "../file";
import { nodeEnvPath, ports } from "../paths";
import { program } from "../program";
import { flagsOf, inEveryMinor, type ProgramFlags } from "../program-flags";
import type { Values } from "../values/values";

const unit = unitPath("etcd.service");
const binary = "/usr/local/bin/etcd";

const extraArgs: ProgramFlags = {
    argument: "etcdExtraArgs",
    removed: inEveryMinor(["enable-v2", "enable-v2v3", "proxy", "v2-deprecation"]),
};

/**
 * Flags of etcd, with `${...}` for what the node's environment files say. The members and whether the cluster
 * is new come as ETCD_ variables from the join script: etcd refuses to start when a flag and a variable name
 * the same thing.
 */
const commandLine = ({ settings, clusterName }: Pick<Values, "settings" | "clusterName">) => {
    const node = "https://${NODE_IPV4}";
    return flagsOf(extraArgs, settings, {
        "advertise-client-urls": `${node}:${ports.etcdClient}`,
        "cert-file": pem.certificate("etcd-peer"),
        "client-cert-auth": "true",
        "data-dir": "/var/lib/etcd/data",
        "feature-gates": "InitialCorruptCheck=true",
        "initial-advertise-peer-urls": `${node}:${ports.etcdPeer}`,
        "initial-cluster-token": clusterName,
        "key-file": pem.key("etcd-peer"),
        "listen-client-urls": `https://127.0.0.1:${ports.etcdClient},${node}:${ports.etcdClient}`,
        "listen-metrics-urls": `http://127.0.0.1:${ports.etcdMetrics}`,
        "listen-peer-urls": `${node}:${ports.etcdPeer}`,
        name: "${NODE_NAME}",
        "peer-cert-file": pem.certificate("etcd-peer"),
        "peer-client-cert-auth": "true",
        "peer-key-file": pem.key("etcd-peer"),
        "peer-trusted-ca-file": pem.authority("etcd-ca"),
        "snapshot-count": "10000",
        "trusted-ca-file": pem.authority("etcd-ca"),
        "watch-progress-notify-interval": "5s",
    });
};

/** etcd under systemd, so that it runs before kubelet does. */
export const etcd = program({
    name: "etcd",
    files: [
        file({
            path: unit,
            needs: ["settings", "clusterName"],
            render: (values) =>
                renderTemplate("etcd/etcd.service", {
                    ...scriptContext,
                    flags: commandLine(values),
                }),
        }),
        script("etcd", "exk8s-etcd-join.sh"),
    ],
    downloads: [
        {
            name: "etcd",
            version: "etcd",
            address:
                "github.com/etcd-io/etcd/releases/download/VERSION/etcd-VERSION-linux-ARCH.tar.gz",
            checksums: "github.com/etcd-io/etcd/releases/download/VERSION/SHA256SUMS",
            target: "/usr/local/bin",
            archive: {
                strip: 1,
                members: ["etcd-VERSION-linux-ARCH/etcd", "etcd-VERSION-linux-ARCH/etcdctl"],
            },
            proof: binary,
        },
    ],
    units: ["etcd"],
    reactions: [
        {
            action: "restart:etcd",
            // A renewed certificate is read at the next handshake, CAs only at the start.
            to: [binary, unit, nodeEnvPath, pem.authority("etcd-ca")],
        },
    ],
    extraArgs,
    commandLine,
    health: "etcd",
});
