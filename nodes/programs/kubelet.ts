import { renderTemplate } from "../../templates/render";
import { pem, pemFiles } from "../certificates";
import { file, scriptContext, unitPath } from "../file";
import { kubeconfigFile, kubeconfigPath } from "../kubeconfig";
import { podNetworks } from "../network";
import { localApiEndpoint, nodeEnvPath, paths } from "../paths";
import { program } from "../program";
import { flagsOf, inEveryMinor, type ProgramFlags } from "../program-flags";
import { mergedConfig } from "../values/config-object";
import type { Values } from "../values/values";

const unit = unitPath("kubelet.service");
const binary = "/usr/local/bin/kubelet";
const removed = [
    "cni-bin-dir",
    "cni-cache-dir",
    "cni-conf-dir",
    "container-runtime",
    "docker-endpoint",
    "experimental-bootstrap-kubeconfig",
    "image-pull-progress-deadline",
    "network-plugin",
    "network-plugin-mtu",
    "non-masquerade-cidr",
];

const extraArgs: ProgramFlags = {
    argument: "kubeletExtraArgs",
    removed: {
        ...inEveryMinor(removed),
        // kubernetes/kubernetes#133779
        "1.35": [...removed, "pod-infra-container-image"],
    },
};

/** All else is in its configuration file and drop-ins. */
const commandLine = ({ settings }: Pick<Values, "settings">) =>
    flagsOf(extraArgs, settings, {
        config: paths.kubeletConfig,
        "config-dir": paths.kubeletDropIns,
        "hostname-override": "${NODE_NAME}",
        kubeconfig: kubeconfigPath("kubelet"),
        "node-ip": "${NODE_IPV4}",
    });

/** The kubelet under systemd. */
export const kubelet = program({
    name: "kubelet",
    files: [
        file({
            path: unit,
            needs: ["settings"],
            render: (values) =>
                renderTemplate("kubelet/kubelet.service", {
                    ...scriptContext,
                    flags: commandLine(values),
                }),
        }),
        file({
            path: paths.kubeletConfig,
            needs: ["settings"],
            render: ({ settings }) =>
                mergedConfig(
                    "kubelet/config.yaml",
                    { settings, paths, taints: podNetworks[settings.cni].nodeTaints },
                    settings.kubeletConfiguration,
                ),
        }),
        kubeconfigFile("kubelet", "kubelet", localApiEndpoint, { scope: "node" }),
    ],
    downloads: [
        {
            name: "kubelet",
            version: "kubernetes",
            address: "dl.k8s.io/VERSION/bin/linux/ARCH/kubelet",
            checksums: "dl.k8s.io/VERSION/bin/linux/ARCH/kubelet.sha256",
            target: binary,
            proof: binary,
        },
    ],
    units: ["kubelet"],
    reactions: [
        {
            action: "restart:kubelet",
            to: [
                binary,
                unit,
                nodeEnvPath,
                paths.kubeletConfig,
                kubeconfigPath("kubelet"),
                pem.authority("cluster-ca"),
                ...pemFiles("kubelet-server"),
            ],
        },
    ],
    extraArgs,
    commandLine,
    health: "kubelet",
});
