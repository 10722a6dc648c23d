import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "@jest/globals";

import { sha256 } from "../../../contract/manifest";
import {
    clusterSettings,
    containerImages,
    imageContents,
    installItems,
    nodeFiles,
    renderBakeScript,
    renderBootstrapServerUserData,
    renderBuilderUserData,
} from "../../../nodes";
import { filesOf, valuesOf } from "./fixtures";
import { FakeNode, FakeServer } from "./node";

let server: FakeServer;
let node: FakeNode;
const settings = clusterSettings({ mirrors: { charts: "https://charts.test" } });

beforeEach(async () => {
    server = await FakeServer.start();
    node = new FakeNode(valuesOf());
    mkdirSync(join(node.root, "root"));
    node.write("/bake.sh", renderBakeScript(settings));
    // Everything is downloaded already, as far as the installer can tell.
    for (const { name, version, proof } of installItems("control-plane", settings.versions)) {
        node.write(`/var/lib/exk8s/installed/${name}`, `${version}\n`);
        node.write(proof, "");
    }
    node.program("dpkg-query", 'shift 3; printf "%s installed\\n" "$@"');
    node.program("apt-get", "");
    node.program("sync", "");
    node.program("ctr", "");
    node.program("cloud-init", "");
    node.program(
        "helm",
        `case "$1" in
pull) mkdir -p "\${@: -1}"; touch "\${@: -1}/cilium-1.19.3.tgz" ;;
template) printf '    image: "quay.io/cilium/cilium:v1.19.3@sha256:00"\\n  - image: quay.io/cilium/operator:v1\\n' ;;
esac`,
    );
});
afterEach(async () => {
    node.remove();
    await server.stop();
});

test("pulls every container image of the manifests, and those of Cilium's chart", async () => {
    expect(await node.run("/bake.sh")).toMatchObject({ code: 0 });
    const pulled = node.calls("ctr").map((call) => call.split(" ").at(-1));
    expect(pulled).toEqual([
        ...containerImages("control-plane", settings),
        "quay.io/cilium/cilium:v1.19.3@sha256:00",
        "quay.io/cilium/operator:v1",
    ]);
    expect(node.calls("helm")[0]).toContain(
        "pull cilium --repo https://charts.test --version 1.19.3",
    );
    expect(existsSync(join(node.root, "var/lib/exk8s/charts/cilium-1.19.3.tgz"))).toBe(true);
});

test("the images are all that a node's files name", () => {
    const texts = Object.values(filesOf(valuesOf())).join("\n");
    const named = [...texts.matchAll(/registry\.k8s\.io\/[\w/.-]+:v?[\d.]+/g)].map(
        ([image]) => image,
    );
    expect([...new Set(named)].sort()).toEqual(
        [...containerImages("control-plane", clusterSettings())].sort(),
    );
});

test("keeps programs, stamps and how they run; nothing of the machine or of a cluster", async () => {
    const own = [
        "/root/.ssh/authorized_keys",
        "/home/ubuntu/.ssh/authorized_keys",
        "/etc/ssh/ssh_host_ed25519_key",
        "/etc/ssh/sshd_config.d/00-exk8s-bake.conf",
        "/etc/exk8s/config/cluster.env",
        "/var/log/exk8s/install.log",
    ];
    own.forEach((path) => node.write(path, "# own\n"));
    node.write("/etc/machine-id", "0123\n");
    await node.run("/bake.sh");
    expect(own.filter((path) => existsSync(join(node.root, path)))).toEqual([]);
    expect(node.read("/etc/machine-id")).toBe("");
    expect(node.calls("cloud-init")).toEqual(["cloud-init clean --logs"]);
    expect(node.read("/var/lib/exk8s/installed/kubelet")).toBe(`${settings.versions.kubernetes}\n`);
    const containerd = nodeFiles.find(({ path }) => path === "/etc/containerd/config.toml");
    expect(node.read("/etc/containerd/config.toml")).toBe(containerd?.render(valuesOf()));
});

test("may run again", async () => {
    await node.run("/bake.sh");
    expect(await node.run("/bake.sh")).toMatchObject({ code: 0 });
});

test("says what failed, with the end of the log", async () => {
    node.program("ctr", 'echo "no such image" >&2; exit 1');
    const { code, output } = await node.run("/bake.sh");
    expect(code).toBe(1);
    expect(output).toContain("no such image");
    expect(output).toContain("error: the image is not baked");
});

test("another version is other contents; the digest is that of the script", () => {
    const contents = imageContents(settings, renderBakeScript(settings));
    const other = clusterSettings({ versions: { kubernetes: "v1.35.3" } });
    expect(contents).toMatchObject({
        kubernetes: "v1.35.4",
        script: sha256(renderBakeScript(settings)),
    });
    expect(imageContents(other, renderBakeScript(other))["script"]).not.toBe(contents["script"]);
});

test.each([
    [
        "a builder",
        renderBuilderUserData({
            authorizedKey: "ssh-ed25519 AAAA",
            hostKeyPem: "KEY",
            lifetime: 60,
        }),
    ],
    [
        "a bootstrap server",
        renderBootstrapServerUserData({
            version: "0.1.0",
            caPem: "CERT",
            caKeyPem: "KEY",
            operatorToken: "token",
            apiKey: "key",
            host: "boot.test",
            registry: "https://npm.test",
            computeBaseUrl: "https://compute.test",
            iamBaseUrl: "https://iam.test",
        }),
    ],
])("the user data of %s is a script that bash reads", (_, text) => {
    expect(() => execFileSync("bash", ["-n"], { input: text })).not.toThrow();
});

test("the contents of an image come in the order that names of existing images were made with", () => {
    expect(Object.keys(imageContents(clusterSettings(), ""))).toEqual([
        ...["kubernetes", "etcd", "containerd", "runc", "cniPlugins", "helm", "cilium"],
        ...["coredns", "pause", "script"],
    ]);
});
