import type { Check } from "./check";

/** Whether a file is one that only its owner may read: a private key, or a kubeconfig that holds one. */
const isSecret = (content: string): boolean =>
    /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(content) || /^\s*client-key-data:/m.test(content);

/** Files whose presence on any node would give the cluster away. */
const caKeys = ["ca-key.pem", "etcd-ca-key.pem", "front-proxy-ca-key.pem"].map(
    (name) => `/etc/exk8s/pki/${name}`,
);

/** What a worker must never hold. */
const controlPlaneSecrets = [
    "/etc/exk8s/pki/service-account-key.pem",
    "/etc/exk8s/pki/apiserver-key.pem",
    "/etc/exk8s/pki/etcd-peer-key.pem",
    "/etc/exk8s/pki/apiserver-etcd-client-key.pem",
    "/etc/exk8s/pki/apiserver-kubelet-client-key.pem",
    "/etc/exk8s/pki/front-proxy-client-key.pem",
    "/etc/exk8s/kubeconfig/admin.kubeconfig",
    "/etc/exk8s/kubeconfig/controller-manager.kubeconfig",
    "/etc/exk8s/kubeconfig/scheduler.kubeconfig",
];

/** Whether secrets are where they belong, and for their owner only. */
export const secretChecks: readonly Check[] = [
    {
        name: "secret-mode",
        phase: "install",
        *reasons({ bundle }) {
            for (const [file, content] of Object.entries(bundle.files)) {
                const mode = bundle.attributes[file]?.mode ?? "";
                if (isSecret(content) && mode !== "0600") {
                    yield `${file} holds a private key and has mode ${mode}, not 0600`;
                }
            }
        },
    },
    {
        name: "world-writable",
        phase: "install",
        *reasons({ bundle }) {
            for (const [file, { mode }] of Object.entries(bundle.attributes)) {
                if ((Number.parseInt(mode, 8) & 0o022) !== 0) {
                    yield `${file} has mode ${mode}: others than its owner may write it`;
                }
            }
        },
    },
    {
        name: "ca-key",
        phase: "install",
        *reasons({ bundle }) {
            for (const file of caKeys) {
                if (bundle.files[file] !== undefined) {
                    yield `${file}: a CA's key must not be on a node`;
                }
            }
        },
    },
    {
        name: "worker-secret",
        phase: "install",
        *reasons({ bundle }) {
            if (bundle.role === "control-plane") {
                return;
            }
            for (const file of controlPlaneSecrets) {
                if (bundle.files[file] !== undefined) {
                    yield `${file} must not be on a ${bundle.role} node`;
                }
            }
        },
    },
];
