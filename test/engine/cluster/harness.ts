import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Call, makeClient, operations } from "excloud-k8s/api";

import { folderAt } from "../../../tools/playground/folder";
import {
    openPlayground,
    type Playground,
    type PlaygroundOptions,
} from "../../../tools/playground/playground";
import { stopServices } from "../../../tools/playground/services";
import { inventoryOf } from "../../support/inventory";

/** A resource as the engine keeps it. */
export interface StateResource {
    urn: string;
    type: string;
    id?: string;
    inputs?: Record<string, unknown>;
    outputs?: Record<string, unknown>;
}

/** A step of a preview. */
export interface Step {
    op: string;
    urn: string;
    newState?: StateResource;
    oldState?: StateResource;
}

/** A playground for tests: the real CLI, the local cloud and the bootstrap server in processes of their own. */
export interface Bench extends Playground {
    /** The cloud's API, to look and to change things behind the stack's back. */
    cloud: Call<typeof operations>;
    /** Runs a command of the engine; fails the test unless it ends with the expected code. */
    pulumi(args: string[], expected?: number): Promise<string>;
    preview(args?: string[]): Promise<Step[]>;
    resources(): Promise<StateResource[]>;
    inventory(): Promise<Record<string, unknown[]>>;
    vms(): Promise<{ vm_id: number; name: string; state: string }[]>;
    close(): Promise<void>;
}

/** How the engine writes a value that is not known in a preview. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Opens a playground in a folder, by default a new one. */
export async function openBench(
    options: Partial<PlaygroundOptions> = {},
    folder = folderAt(mkdtempSync(join(tmpdir(), "engine-test-"))),
): Promise<Bench> {
    const playground = await openPlayground(folder, { ports: { server: 0 }, ...options });
    const { stack, services } = playground;
    const apiKey = services.environment["EXCLOUD_API_KEY"] ?? "";
    const cloud = makeClient(operations, {
        baseUrls: {
            compute: services.computeUrl,
            dns: services.dnsUrl,
            iam: services.iamUrl,
        },
        token: () => apiKey,
        credentialName: "set EXCLOUD_API_KEY",
    });
    return {
        ...playground,
        cloud,
        pulumi: (args, expected) => stack.run(args, expected),
        preview: async (args = []) => {
            const { stdout, stderr, code } = await stack.capture(["preview", "--json", ...args]);
            if (code !== 0) {
                throw new Error(`preview ended with ${code}:\n${stdout}${stderr}`);
            }
            return (JSON.parse(stdout) as { steps: Step[] }).steps;
        },
        resources: async () => {
            const { stdout } = await stack.capture(["stack", "export"]);
            const state = JSON.parse(stdout) as { deployment: { resources?: StateResource[] } };
            return state.deployment.resources ?? [];
        },
        inventory: () => inventoryOf(services),
        vms: () => cloud("vmList", {}),
        close: async () => {
            await stopServices(folder);
            rmSync(folder.root, { recursive: true, force: true });
        },
    };
}

/** The last part of a URN: the resource's name. */
export function nameOf({ urn }: { urn: string }): string {
    return urn.split("::").at(-1) ?? "";
}

/** The short type of a resource: the last part of its token. */
export function typeOf({ urn }: { urn: string }): string {
    return (urn.split("::").at(-2) ?? "").split("$").at(-1)?.split(/[:/]/).at(-1) ?? "";
}

/** Every file below a folder. */
export function filesBelow(folder: string): string[] {
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
        .map((name) => join(folder, name))
        .filter((file) => statSync(file).isFile());
}

/** The text of a file on a simulated node. */
export function fileOnNode({ folder }: Playground, vmId: number | string, path: string): string {
    return readFileSync(join(folder.cloud, `nodes/${vmId}/root`, path), "utf8");
}
