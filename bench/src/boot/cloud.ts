import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { type Call, makeClient, operations } from "excloud-k8s/api";
import { request } from "undici";

import type { Playground } from "../../../tools/dist/playground/playground";
import type { Services } from "../../../tools/dist/playground/services";
import { RunningNode, waitFile } from "./node";

/** A node as the local cloud tells of it. */
interface NodeStatus {
    readonly vm_id: number;
    readonly vm_name: string;
    readonly address: string;
    readonly state: string;
    /** While it boots this may be a process that prepares it. */
    readonly pid?: number;
}

const pollMs = 30;
const patienceMs = 60_000;

/** The local cloud, as far as its machines are concerned. */
export class Cloud {
    readonly call: Call<typeof operations>;
    private readonly services: Services;

    constructor({ services }: Playground) {
        this.services = services;
        this.call = makeClient(operations, {
            baseUrls: {
                compute: services.computeUrl,
                dns: services.dnsUrl,
                iam: services.iamUrl,
            },
            token: () => this.key,
            credentialName: "set EXCLOUD_API_KEY",
        });
    }

    /** Makes a VM of the same shape as those of the cluster. */
    async createVm(name: string, userData?: string): Promise<number> {
        const { vm_id } = await this.call("vmCreate", {
            name,
            zone_id: 1,
            project_id: 1,
            subnet_id: 1,
            image_id: 1,
            instance_type: "t1a.medium",
            allocate_public_ipv4: false,
            ssh_pubkey: "",
            security_group_ids: [],
            root_volume: { size_gib: rootVolumeGib, zone_id: 1 },
            ...(userData === undefined ? {} : { user_data: userData }),
        });
        return vm_id;
    }

    /**
     * Waits until a VM whose name ends like this is on.
     *
     * @param former what it was before it was switched off and on
     */
    async node(name: string, former?: RunningNode): Promise<RunningNode> {
        return until(`VM ${name} to be on`, async () => {
            const found = (await this.nodes()).find(
                ({ vm_name, state }) => vm_name.endsWith(name) && state === "ready",
            );
            return found?.pid === undefined || found.pid === former?.pid
                ? undefined
                : new RunningNode(found.vm_id, found.address, found.pid);
        });
    }

    async untilState(vmId: number, wanted: string): Promise<void> {
        await until(`VM ${vmId} to be ${wanted}`, async () => {
            const { state } = await this.call("vmGet", { vm_id: String(vmId) });
            return state === wanted ? true : undefined;
        });
    }

    /** Switches a VM off and on again, without what made its user data wait. */
    async powerOn(name: string, waiting: RunningNode): Promise<RunningNode> {
        rmSync(waiting.path(waitFile));
        await this.call("vmRestart", { vm_id: waiting.vmId });
        return this.node(name, waiting);
    }

    async terminate(vmId: number): Promise<void> {
        await this.call("vmTerminate", { vm_id: vmId, delete_root_volume: true });
        await this.untilState(vmId, "TERMINATED");
    }

    private async nodes(): Promise<NodeStatus[]> {
        const { body } = await request(`${this.services.computeUrl}/_local/nodes`, {
            headers: { authorization: `Bearer ${this.key}` },
        });
        return (await body.json()) as NodeStatus[];
    }

    private get key(): string {
        return this.services.environment["EXCLOUD_API_KEY"] ?? "";
    }
}

/** As large as the component makes it by default. */
const rootVolumeGib = 20;

/**
 * Asks until there is an answer.
 *
 * @throws Error when there is none for a minute
 */
export async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
    for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(pollMs)) {
        const answer = await ask();
        if (answer !== undefined) {
            return answer;
        }
    }
    throw new Error(`gave up waiting for ${what}`);
}
