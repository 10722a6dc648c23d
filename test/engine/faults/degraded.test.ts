import { afterAll, beforeAll, expect, test } from "@jest/globals";

import { outputsOf, setArguments } from "../../../tools/playground/playground";
import { type Bench, openBench, typeOf } from "../cluster/harness";
import { stopBootstrapServer, up } from "./support";

// What must not stop a cluster: a DNS zone of somebody else at its start, a bootstrap server that is gone
// at its end.

let bench: Bench;
let clusterName: string;

beforeAll(async () => {
    bench = await openBench();
    await setArguments(bench.stack, ["controlPlaneCount=1", "dnsZone=not-ours.example"]);
});
afterAll(() => bench?.close());

test("without the zone the cluster comes up, and says that it has no name", async () => {
    const { code, text } = await up(bench.stack);
    expect([code, text]).toEqual([0, expect.stringContaining("cp-1  ready")]);
    expect(text).toMatch(
        /warning: DNS name exk8s-5-[0-9a-f]+\.not-ours\.example is not configured: .*not-ours\.example/,
    );
    expect(text).toContain("The cluster is reached by address; the next up tries again");
});

test("the kubeconfig then leads to the first address", async () => {
    const outputs = await outputsOf(bench.stack);
    clusterName = String(outputs["name"]);
    const [address] = outputs["nodes"] as string[];
    expect(outputs["dnsConfigured"]).toBe(false);
    expect(outputs["kubeconfig"]).toContain(`server: "https://${address}:6443"`);
    expect(outputs["kubeconfig"]).not.toContain("not-ours.example");
});

test("the next up tries again, and nothing else changes", async () => {
    const changed = (await bench.preview()).filter(({ op }) => op !== "same");
    expect(changed.map((step) => `${step.op} ${typeOf(step)}`)).toEqual(["update DnsRecord"]);
});

test("destroy ends without the bootstrap server, and names what stays there", async () => {
    await stopBootstrapServer(bench);
    const text = await bench.pulumi(["destroy", "--yes", "--skip-preview"]);
    for (const what of ["node slot cp-1", "files of pool cp", `cluster ${clusterName}`]) {
        expect(text).toContain(`warning: ${what} stays on the bootstrap server`);
    }
    expect(Object.values(await bench.inventory()).flat()).toEqual([]);
    expect(await bench.resources()).toEqual([]);
});
