import { createPublicKey, createVerify, type JsonWebKey } from "node:crypto";
import * as tls from "node:tls";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { clientPod, entryPolicy, webService } from "../support/real-nodes/pods";
import { eventually, RealCluster } from "../support/real-nodes/real-cluster";

interface Pod {
    metadata: { name: string; labels?: Record<string, string> };
    spec: { nodeName: string };
    status: {
        phase: string;
        podIP: string;
        containerStatuses?: { ready: boolean; restartCount: number }[];
    };
}
interface List<T> {
    items: T[];
}

let cluster: RealCluster;
const inClient = (...command: string[]) => cluster.kubectl("exec", "client", "--", ...command);

beforeAll(async () => {
    cluster = await RealCluster.open({ controlPlaneCount: 1 });
    await cluster.up();
    await cluster.kubeconfig();
    await cluster.apply(clientPod("client"));
    await cluster.apply(webService("web", 2));
    await cluster.kubectl("rollout", "status", "deployment/web", "--timeout=3m");
    await cluster.kubectl("wait", "--for=condition=Ready", "pod/client", "--timeout=3m");
});
afterAll(() => cluster?.close());

describe("a cluster of one control plane", () => {
    test("its API is ready, its node Ready, and no container was ever restarted", async () => {
        expect(await cluster.kubectl("get", "--raw", "/readyz")).toBe("ok");
        const pods = await cluster.get<List<Pod>>("pods", "--namespace", "kube-system");
        const names = pods.items.map(({ metadata }) => metadata.name.replace(/-[^-]*$/, ""));
        expect(names.length).toBeGreaterThanOrEqual(8);
        for (const { metadata, status } of pods.items) {
            const containers = status.containerStatuses ?? [];
            expect([metadata.name, status.phase]).toEqual([metadata.name, "Running"]);
            const states = containers.map((one) => [metadata.name, one.ready, one.restartCount]);
            expect(states).toEqual(containers.map(() => [metadata.name, true, 0]));
        }
        expect(await cluster.onNode("cp-1", "systemctl", "is-system-running")).toBe("running\n");
    });

    test("CoreDNS answers pods, and a Service answers by its name", async () => {
        const { spec } = await cluster.get<{ spec: { clusterIP: string } }>(
            "service",
            "kubernetes",
        );
        const found = await inClient("dig", "+short", "kubernetes.default.svc.cluster.local");
        expect(found.trim()).toBe(spec.clusterIP);
        const answer = await inClient("curl", "-sS", "--max-time", "10", "http://web/hostname");
        expect(answer).toMatch(/^web-/);
    });

    test("logs and exec work, as the API server verifies the kubelet's certificate", async () => {
        expect(await inClient("sh", "-c", "echo hello")).toBe("hello\n");
        const [web] = (await cluster.get<List<Pod>>("pods", "--selector", "app=web")).items;
        const logs = await cluster.kubectl("logs", web?.metadata.name ?? "");
        expect(logs).toContain("Started HTTP server on port 8080");
        const ca = await cluster.onNode("cp-1", "cat", "/etc/exk8s/pki/ca.pem");
        const problem = await certificateProblem(await cluster.address("cp-1"), 10250, ca);
        expect(problem).toBeUndefined();
        const other = await cluster.onNode("cp-1", "cat", "/etc/exk8s/pki/etcd-ca.pem");
        expect(await certificateProblem(await cluster.address("cp-1"), 10250, other)).toBeDefined();
    });

    test("a service account's token is verified by the keys that discovery names", async () => {
        const token = await cluster.kubectl("create", "token", "default");
        const discovery = JSON.parse(
            await cluster.kubectl("get", "--raw", "/.well-known/openid-configuration"),
        ) as { issuer: string; jwks_uri: string };
        const [head = "", body = "", signature = ""] = token.trim().split(".");
        const claims = decode(body) as { iss: string; sub: string };
        expect(claims).toMatchObject({
            iss: discovery.issuer,
            sub: "system:serviceaccount:default:default",
        });
        const { kid } = decode(head) as { kid: string };
        const { keys } = JSON.parse(
            await cluster.kubectl("get", "--raw", new URL(discovery.jwks_uri).pathname),
        ) as { keys: (JsonWebKey & { kid: string })[] };
        const key = keys.find((one) => one.kid === kid);
        expect(key).toBeDefined();
        const verifier = createVerify("RSA-SHA256").update(`${head}.${body}`);
        const publicKey = createPublicKey({ key: key ?? {}, format: "jwk" });
        expect(verifier.verify(publicKey, signature, "base64url")).toBe(true);
        // And the API server itself takes it, from inside a pod.
        const whoami = await inClient(
            "sh",
            "-c",
            "curl -sS --cacert /var/run/secrets/kubernetes.io/serviceaccount/ca.crt " +
                '-H "Authorization: Bearer $(cat /var/run/secrets/kubernetes.io/serviceaccount/token)" ' +
                "https://kubernetes.default.svc/api/v1/namespaces/default/pods",
        );
        expect(whoami).toContain("system:serviceaccount:default:default");
    });

    test("an aggregated API is served with the caller's identity: metrics-server, kubelets verified", async () => {
        const chart = `${cluster.artifacts}/mirror/kubernetes-sigs.github.io/metrics-server/metrics-server-3.12.2.tgz`;
        const values = ["--set", "image.tag=v0.8.0", "--set", "args={--metric-resolution=15s}"];
        await cluster.feed(
            cluster.program("helm"),
            [
                ...["--kubeconfig", await cluster.kubeconfig(), "install", "metrics-server", chart],
                ...["--namespace", "kube-system", ...values, "--wait", "--timeout", "3m"],
            ],
            "",
        );
        await eventually(60, async () => {
            const api = await cluster.get<{
                status: { conditions: { type: string; status: string }[] };
            }>("apiservice", "v1beta1.metrics.k8s.io");
            expect(api.status.conditions).toContainEqual(
                expect.objectContaining({ type: "Available", status: "True" }),
            );
        });
        await eventually(90, async () => {
            const usage = await cluster.kubectl("top", "nodes", "--no-headers");
            expect(usage).toMatch(/^cp-1\.cluster-\d+\.internal +\d+m/);
        });
        // The extension asks the API server about a caller whom it knows by the front proxy's headers.
        const refused = cluster.kubectl(
            ...["get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes"],
            ...["--as", "system:serviceaccount:default:default"],
        );
        await expect(refused).rejects.toThrow(/forbidden/i);
    });

    test("Pod Security refuses a privileged pod where the namespace says so", async () => {
        await cluster.kubectl("create", "namespace", "guarded");
        await cluster.kubectl(
            ...["label", "namespace", "guarded", "pod-security.kubernetes.io/enforce=restricted"],
        );
        const pod = JSON.parse(clientPod("bad")) as { metadata: object; spec: object };
        const bad = {
            ...pod,
            metadata: { name: "bad", namespace: "guarded" },
            spec: { ...pod.spec, hostNetwork: true },
        };
        await expect(cluster.apply(JSON.stringify(bad))).rejects.toThrow(/violates PodSecurity/);
    });

    test("a kubelet may touch its own node and pods only", async () => {
        const asKubelet = (...args: string[]) =>
            cluster.tryOnNode(
                ...(["cp-1", "kubectl", "--kubeconfig", kubeletConfig] as const),
                ...args,
            );
        const { items } = await cluster.get<List<{ metadata: { name: string } }>>("nodes");
        const name = items[0]?.metadata.name ?? "";
        expect((await asKubelet("get", "node", name)).code).toBe(0);
        const label = await asKubelet("label", "node", name, "node-role.kubernetes.io/gpu=");
        expect(label.stderr).toMatch(/is not allowed to modify labels/);
        const secrets = await asKubelet("get", "secrets", "--namespace", "kube-system");
        expect(secrets.stderr).toMatch(/forbidden/i);
    });

    test("no container can read a key that it does not need", async () => {
        const seen = await cluster.onNode("cp-1", "bash", "-c", listKeys);
        const keys: Record<string, string[]> = {};
        for (const line of seen.trim().split("\n")) {
            const [program = "", file = ""] = line.split(" ");
            (keys[program] ??= []).push(file);
        }
        expect(keys).toEqual({
            "kube-apiserver": [
                "/etc/exk8s/pki/apiserver-etcd-client-key.pem",
                "/etc/exk8s/pki/apiserver-key.pem",
                "/etc/exk8s/pki/apiserver-kubelet-client-key.pem",
                "/etc/exk8s/pki/front-proxy-client-key.pem",
                "/etc/exk8s/pki/service-account-key.pem",
            ],
            "kube-controller": [
                "/etc/exk8s/kubeconfig/controller-manager.kubeconfig",
                "/etc/exk8s/pki/service-account-key.pem",
            ],
            "kube-scheduler": ["/etc/exk8s/kubeconfig/scheduler.kubeconfig"],
            "kube-proxy": ["/etc/exk8s/kubeconfig/kube-proxy.kubeconfig"],
        });
    });

    test("pods cannot reach the metadata service", async () => {
        const asked = inClient("curl", "-sS", "--max-time", "5", "http://169.254.169.254/token");
        await expect(asked).rejects.toThrow(/timed out|timeout/i);
        const node = await cluster.onNode("cp-1", "curl", "-sS", "http://imdsapi.excloud.in/token");
        expect(node).toMatch(/^imds_/);
    });

    test("a NetworkPolicy blocks whom it does not name", async () => {
        await cluster.apply(entryPolicy("web"));
        const ask = () => inClient("curl", "-sS", "--max-time", "3", "http://web/hostname");
        await eventually(60, () => expect(ask()).rejects.toThrow(/timed out/));
        await cluster.kubectl("label", "pod", "client", "may-enter=yes");
        await eventually(120, async () => expect(await ask()).toMatch(/^web-/));
        await cluster.kubectl("delete", "networkpolicy", "enter-web");
    });

    test("a second up changes nothing", async () => {
        await cluster.bench.pulumi(["preview", "--expect-no-changes"]);
    });
});

const kubeletConfig = "/etc/exk8s/kubeconfig/kubelet.kubeconfig";

/** Prints, for each of our containers, the files with private keys that its processes can open. */
const listKeys = `
for process in kube-apiserver kube-controller kube-scheduler kube-proxy cilium-agent cilium-operator coredns; do
    for pid in $(pgrep "^$process"); do
        root=/proc/$pid/root
        [ "$(stat -Lc %i $root)" != "$(stat -Lc %i /)" ] || continue
        find $root/ -xdev -type d -name proc -prune -o -type f -size -64k -print 2>/dev/null
        find $root/etc/exk8s $root/var/lib/exk8s $root/etc/kubernetes -type f 2>/dev/null
    done | sort -u | while read -r file; do
        if grep -qE 'PRIVATE KEY|client-key-data' "$file" 2>/dev/null; then
            echo "$process \${file#/proc/*/root}"
        fi
    done
done | sort -u
`;

const decode = (part: string): unknown =>
    JSON.parse(Buffer.from(part, "base64url").toString("utf8"));

/** Why a server's certificate is not valid for its address under a CA; undefined when it is. */
function certificateProblem(host: string, port: number, ca: string): Promise<string | undefined> {
    return new Promise((resolve, reject) => {
        const socket = tls.connect({ host, port, ca, rejectUnauthorized: false }, () => {
            const { authorized, authorizationError } = socket;
            socket.destroy();
            resolve(authorized ? undefined : String(authorizationError));
        });
        socket.on("error", reject);
    });
}
