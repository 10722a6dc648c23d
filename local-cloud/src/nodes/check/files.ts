import { parseAllDocuments } from "yaml";

import type { Check } from "./check";
import { flagsOf, staticPods } from "./static-pods";
import { parseUnit } from "./units";

/** What a control plane cannot come up without, beside its certificates. */
const required: readonly string[] = [
    "/etc/exk8s/config/cluster.env",
    "/etc/exk8s/pki/service-account.pem",
    "/etc/exk8s/pki/service-account-key.pem",
    "/etc/kubernetes/manifests/kube-apiserver.yaml",
    "/etc/kubernetes/manifests/kube-controller-manager.yaml",
    "/etc/kubernetes/manifests/kube-scheduler.yaml",
    "/etc/systemd/system/etcd.service",
    "/etc/systemd/system/kubelet.service",
    "/var/lib/kubelet/config.yaml",
];

/** Folders whose files the node itself writes. */
const writtenOnNode = "/etc/exk8s/runtime";

const isUnit = (file: string): boolean =>
    file.startsWith("/etc/systemd/system/") &&
    /\.(service|timer|path|mount|target|conf)$/.test(file);

/** Paths of ours that a text names; only such can be told to be missing. */
function* ownPaths(text: string): Iterable<string> {
    for (const [path] of text.matchAll(
        /\/(?:etc\/exk8s|usr\/local\/bin\/exk8s-|usr\/local\/lib\/exk8s)[\w./-]*/g,
    )) {
        yield path.replace(/[./]+$/, "");
    }
}

/** Lines of a unit that name a path which need not exist. */
const withoutConditions = (unit: string): string =>
    unit
        .split("\n")
        .filter(
            (line) =>
                !/^(#|;|Condition|Documentation|Description|EnvironmentFile=-|Path|RuntimeDirectory|\w*Paths=)/.test(
                    line,
                ),
        )
        .join("\n");

/** Whether the files of a bundle can be read by what reads them, and refer to what is there. */
export const fileChecks: readonly Check[] = [
    {
        name: "required-file",
        phase: "install",
        *reasons({ bundle }) {
            if (bundle.role !== "control-plane") {
                return;
            }
            for (const file of required) {
                if (bundle.files[file] === undefined) {
                    yield `${file} is missing`;
                }
            }
        },
    },
    {
        name: "yaml",
        phase: "install",
        *reasons({ bundle }) {
            for (const [file, content] of Object.entries(bundle.files)) {
                if (!/\.(ya?ml|kubeconfig)$/.test(file)) {
                    continue;
                }
                for (const document of parseAllDocuments(content)) {
                    const [error] = document.errors;
                    if (error !== undefined) {
                        yield `${file}: ${error.message.split("\n")[0]}`;
                    }
                }
            }
        },
    },
    {
        name: "json",
        phase: "install",
        *reasons({ bundle }) {
            for (const [file, content] of Object.entries(bundle.files)) {
                if (!/\.(json|conflist)$/.test(file)) {
                    continue;
                }
                try {
                    JSON.parse(content);
                } catch (error) {
                    yield `${file}: ${String(error)}`;
                }
            }
        },
    },
    {
        name: "unit",
        phase: "install",
        *reasons({ bundle }) {
            for (const [file, content] of Object.entries(bundle.files)) {
                if (!isUnit(file)) {
                    continue;
                }
                for (const problem of parseUnit(file, content).problems) {
                    yield `${file}: ${problem}`;
                }
            }
        },
    },
    {
        name: "script",
        phase: "install",
        *reasons({ bundle }) {
            for (const [file, content] of Object.entries(bundle.files)) {
                if (!file.startsWith("/usr/local/bin/")) {
                    continue;
                }
                const mode = bundle.attributes[file]?.mode ?? "";
                if (!content.startsWith("#!")) {
                    yield `${file} does not start with #!`;
                }
                if ((Number.parseInt(mode, 8) & 0o100) === 0) {
                    yield `${file} has mode ${mode}: not executable`;
                }
                if (content.includes("\r")) {
                    yield `${file} has CR line ends`;
                }
            }
        },
    },
    {
        name: "reference",
        phase: "install",
        *reasons({ bundle }) {
            const files = Object.keys(bundle.files);
            const exists = (path: string): boolean =>
                `${path}/`.startsWith(`${writtenOnNode}/`) ||
                bundle.files[path] !== undefined ||
                files.some((file) => file.startsWith(`${path}/`));
            for (const [file, content] of Object.entries(bundle.files)) {
                const isPod = file.startsWith("/etc/kubernetes/manifests/");
                if (!isPod && !isUnit(file)) {
                    continue;
                }
                const missing = new Set(
                    [...ownPaths(isPod ? content : withoutConditions(content))].filter(
                        (path) => !exists(path),
                    ),
                );
                for (const path of missing) {
                    yield `${file} names ${path}, which does not exist`;
                }
            }
        },
    },
    {
        name: "static-pod",
        phase: "kubelet",
        *reasons({ bundle }) {
            for (const { file, pod, component } of staticPods(bundle)) {
                if (pod.kind !== "Pod" || pod.apiVersion !== "v1") {
                    yield `${file} is no v1 Pod`;
                } else if (pod.metadata?.namespace !== "kube-system") {
                    yield `${file} is not in kube-system`;
                } else if (flagsOf(pod).size === 0) {
                    yield `${file}: ${component} is started without flags`;
                }
            }
        },
    },
];
