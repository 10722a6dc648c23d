import { join } from "node:path";

import { parse } from "yaml";

import { clustersIn, parseExported } from "#cli/exported";
import { showStatus } from "#cli/status";

import { artifactsOf, outputsOf, type Playground, writePrivate } from "./playground";

const aboutSimulatedNodes = [
    "The nodes are simulated: each checks its bundle and serves /livez and /readyz with",
    "its real certificates, but no kubelet runs.\n",
].join("\n");

const aboutRealNodes =
    "The nodes are real: systemd in namespaces of this machine, with etcd, containerd and kubelet.\n";

/** Says what there is now, and what to try next. Writes the kubeconfig into a file. */
export async function printSummary(playground: Playground): Promise<void> {
    const { stack, folder, services } = playground;
    const outputs = await outputsOf(stack);
    if (typeof outputs["internalKubeconfig"] !== "string") {
        return;
    }
    writePrivate(folder.kubeconfig, outputs["internalKubeconfig"]);
    const dns = outputs["dnsConfigured"] ? "configured" : "not configured";
    const rows: [string, string][] = [
        ["cluster", String(outputs["name"])],
        ["nodes", (outputs["nodes"] as string[]).map((a, i) => `cp-${i + 1} ${a}`).join(", ")],
        ["API server", serverOf(outputs["internalKubeconfig"])],
        ["DNS name", `${String(outputs["dnsName"])} (${dns})`],
        ["certificates", `the first ends ${String(outputs["nextExpiry"])}`],
        ["nodes' page", services.bootstrapUrl],
        ["its token", join(folder.server, "operator-token")],
    ];
    console.log(`\n${rows.map(([name, value]) => `  ${name.padEnd(14)}${value}`).join("\n")}\n`);
    const artifacts = artifactsOf(folder);
    console.log(artifacts === undefined ? aboutSimulatedNodes : aboutRealNodes);
    console.log("Try next:");
    const kubectl = artifacts === undefined ? "kubectl" : join(artifacts, "bin/kubectl");
    const questions =
        artifacts === undefined
            ? ["get --raw /readyz"]
            : ["get nodes -o wide", "get pods --all-namespaces"];
    for (const question of questions) {
        console.log(`  ${kubectl} --kubeconfig ${folder.kubeconfig} ${question}`);
    }
    console.log("  npm start -- status");
    console.log("  npm start -- preview --set apiServerExtraArgs.goaway-chance=0.001");
    console.log("  npm start -- up --set apiServerExtraArgs.goaway-chance=0.001");
    console.log("  npm start -- destroy");
}

function serverOf(kubeconfig: string): string {
    const { clusters } = parse(kubeconfig) as { clusters: [{ cluster: { server: string } }] };
    return clusters[0].cluster.server;
}

/** Prints what `excloud-k8s status` does. Gives whether the cluster is ready. */
export async function printStatus({ stack, bootstrap }: Playground): Promise<boolean> {
    const { stdout } = await stack.capture(["stack", "export"]);
    const clusters = clustersIn(parseExported(stdout));
    if (clusters.length === 0) {
        console.log("There is no cluster. Make one with `npm start`.");
    }
    return showStatus(clusters, () => bootstrap, console.log);
}
