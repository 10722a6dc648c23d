import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { request } from "undici";

import { folderAt } from "./folder";
import { openPlayground, outputsOf, type Playground, setArguments } from "./playground";
import { stopServices } from "./services";

const flag = "goaway-chance";
const line = `--${flag}=0.001`;

/** A step of the round trip did not do what it must. */
class Unmet extends Error {}

/**
 * The whole life of a cluster in a folder of its own: up, a preview that is empty, a change that reaches
 * every node, destroy, nothing left. Prints each step; throws at the first that does not hold.
 */
export async function runOnce(): Promise<void> {
    const folder = folderAt(mkdtempSync(join(tmpdir(), "excloud-")));
    const cleanUp = async () => {
        await stopServices(folder);
        rmSync(folder.root, { recursive: true, force: true });
    };
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
        process.once(signal, () => void cleanUp().finally(() => process.exit(1)));
    }
    try {
        const playground = await openPlayground(folder, { ports: { server: 0 } });
        const created = await roundTrip(playground);
        console.log(`once: ok, ${created} resources created, 0 left`);
    } finally {
        await cleanUp();
    }
}

async function roundTrip(playground: Playground): Promise<number> {
    const { stack } = playground;

    step("up");
    must(await stack.show(["up", "--yes", "--skip-preview"]), 0, "pulumi up");
    const created = await countResources(playground);

    step("a second preview is empty");
    const noOp = await stack.capture(["preview", "--expect-no-changes", "--diff"]);
    mustHold(noOp.code === 0, `nothing was changed, yet the preview is not empty:\n${noOp.stdout}`);

    step(`preview of ${line}`);
    await setArguments(stack, [`apiServerExtraArgs.${flag}=0.001`]);
    const preview = await stack.capture(["preview", "--diff"]);
    process.stdout.write(preview.stdout);
    const shown = preview.stdout.split(line).length - 1;
    mustHold(preview.code === 0, `the preview failed:\n${preview.stderr}`);
    mustHold(shown === 3, `the flag shows ${shown} times in the preview, not once on each node`);
    mustHold(
        !/^\s*(\+-|-\+|\+\+|--) ?.*VirtualMachine/m.test(preview.stdout),
        "the preview replaces a virtual machine",
    );

    step("up, and every node has the flag");
    must(await stack.show(["up", "--yes", "--skip-preview"]), 0, "pulumi up");
    await mustHaveReachedNodes(playground);

    step("destroy");
    must(await stack.show(["destroy", "--yes", "--skip-preview"]), 0, "pulumi destroy");
    const left = await inventory(playground);
    mustHold(left.length === 0, `the cloud still holds ${JSON.stringify(left)}`);
    return created;
}

/** The flag is in the file on each node, and each node reported the generation that holds it. */
async function mustHaveReachedNodes({ stack, folder, bootstrap }: Playground): Promise<void> {
    const { clusterId } = await outputsOf(stack);
    const { nodes } = await bootstrap("getStatus", { cluster_id: Number(clusterId) });
    mustHold(nodes.length === 3, `the server knows ${nodes.length} nodes, not 3`);
    for (const node of nodes) {
        mustHold(
            node.reported_generation === node.desired_generation && node.healthy,
            `${node.slot} has not reported the newest generation as healthy`,
        );
        const { vm_id } = await bootstrap("getBundle", {
            cluster_id: Number(clusterId),
            slot: node.slot,
        });
        const file = join(
            folder.cloud,
            `nodes/${vm_id}/root/etc/kubernetes/manifests/kube-apiserver.yaml`,
        );
        mustHold(readFileSync(file, "utf8").includes(line), `${node.slot} lacks ${line}`);
        console.log(`${node.slot}: ${line} is in place, generation ${node.reported_generation}`);
    }
}

async function countResources({ stack }: Playground): Promise<number> {
    const { stdout } = await stack.capture(["stack", "export"]);
    const state = JSON.parse(stdout) as { deployment: { resources?: { type: string }[] } };
    const resources = state.deployment.resources ?? [];
    return resources.filter(({ type }) => !type.startsWith("pulumi:providers:")).length;
}

/** Everything that the local cloud still holds and that costs or lingers. */
async function inventory({ services }: Playground): Promise<unknown[]> {
    const answer = await request(`${services.computeUrl}/_local/inventory`, {
        headers: { authorization: `Bearer ${services.environment["EXCLOUD_API_KEY"]}` },
    });
    const held = (await answer.body.json()) as Record<string, unknown>;
    return Object.values(held).flatMap((part) => (Array.isArray(part) ? (part as unknown[]) : []));
}

function step(name: string): void {
    console.log(`\n== ${name}`);
}

function must(code: number, expected: number, what: string): void {
    mustHold(code === expected, `${what} ended with ${code}`);
}

function mustHold(condition: boolean, otherwise: string): asserts condition {
    if (!condition) {
        throw new Unmet(`once: failed: ${otherwise}`);
    }
}
