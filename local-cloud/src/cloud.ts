import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import * as path from "node:path";

import type { FastifyInstance } from "fastify";

import type { OperationName, RequestOf, ResponseOf, operations, schemas } from "excloud-k8s/api";

import type { CloudContext } from "./handlers/handler";
import { handlers } from "./handlers/index";
import { releaseVm } from "./handlers/vms";
import { addAdminRoutes } from "./http/admin";
import { imdsServer } from "./http/imds";
import { serviceServer } from "./http/server";
import { inventoryOf, type Inventory } from "./inventory";
import { Lifecycle } from "./lifecycle";
import { NodeFleet, type NodeStatus } from "./nodes/fleet";
import { defaultDelays, type LocalCloudOptions } from "./options";
import { writeFileAtomic } from "./state/files";
import type { SubnetRow, VmRow } from "./state/model";
import { claimNetwork, defaultSubnets, networkIndex, type NetworkClaim } from "./state/networks";
import { Stores } from "./state/stores";
import { Tokens, type Caller } from "./state/tokens";

const host = "127.0.0.1";
const defaultTokenLifetimeMs = 6 * 60 * 60 * 1000;

/** A running local cloud. */
export interface LocalCloud {
    readonly computeUrl: string;
    readonly dnsUrl: string;
    readonly iamUrl: string;
    readonly imdsUrl: string;
    readonly apiKey: string;
    /** File with the API key, mode 0600. */
    readonly apiKeyFile: string;
    readonly orgId: number;
    /** The environment variables that make the provider use this cloud. */
    environment(): Record<string, string>;
    /** Everything that exists and costs or lingers. */
    inventory(): Inventory;
    /** The simulated nodes; empty with `nodes: "none"`. */
    nodes(): NodeStatus[];
    /** The log of a simulated node; undefined when there is none. */
    nodeLog(vmId: number): readonly string[] | undefined;
    /**
     * Does what any call of the API does, behind the user's back.
     *
     * @throws ApiError as the API would answer
     */
    call<Name extends OperationName>(
        name: Name,
        request: RequestOf<(typeof operations)[Name]>,
    ): ResponseOf<(typeof operations)[Name]>;
    /** Terminates a VM with its root volume, as somebody in the console would. */
    terminateVm(vmId: number): void;
    deleteRecord(record: Pick<schemas.DnsRecord, "zone_name" | "type" | "name" | "value">): void;
    deleteRule(ruleId: number): void;
    /** Stops all listeners and nodes; the folder keeps everything for the next start. */
    close(): Promise<void>;
}

/**
 * Starts Excloud on this machine: computeapi, DNS, IAM and IMDS on 127.0.0.1, and a simulated node
 * for every running VM.
 *
 * @throws Error when a port is taken, or when simulated nodes are not possible on this machine
 */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
    const { dir } = options;
    const orgId = options.orgId ?? 5;
    const delays = { ...defaultDelays, ...options.delays };
    const simulated = (options.nodes ?? "simulated") === "simulated";
    if (simulated && process.platform !== "linux") {
        throw new Error(
            "Simulated nodes need Linux, where every address of 127.0.0.0/8 is local. " +
                'Use `nodes: "none"` here.',
        );
    }
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const apiKeyFile = path.join(dir, "api-key");
    const apiKey = prepareApiKey(apiKeyFile, options.apiKey);

    const opened: (() => void | Promise<void>)[] = [];
    const close = async (): Promise<void> => {
        for (const closeOne of opened.splice(0).reverse()) await closeOne();
    };
    try {
        const claim = simulated ? await claimNetwork(networkOf(dir)) : undefined;
        if (claim !== undefined) opened.push(() => claim.release());
        const stores = new Stores(storesFolder(dir), {
            subnets: defaultSubnets(claim?.index ?? 0),
            zones: (options.dnsZones ?? ["k8s.excloud.co.in"]).map((name, i) => ({
                id: `z-${i + 1}`,
                name,
            })),
        });
        const tokens = new Tokens(
            stores,
            orgId,
            apiKey,
            options.tokenLifetimeMs ?? defaultTokenLifetimeMs,
        );

        const imds = imdsServer(stores, tokens);
        opened.push(() => imds.close());
        const imdsUrl = await listen(imds, options.ports?.imds);

        const fleet = simulated
            ? new NodeFleet({ dir: path.join(dir, "nodes"), imdsUrl, delays })
            : undefined;
        if (fleet !== undefined) opened.push(() => fleet.close());

        const lifecycle = new Lifecycle(stores.vms, delays, (vm) => {
            follow(stores, tokens, fleet, vm);
        });
        opened.push(() => lifecycle.close());
        const cloud: CloudContext = { stores, lifecycle };

        const compute = serviceServer("compute", cloud, tokens);
        addAdminRoutes(compute, stores, fleet);
        const dns = serviceServer("dns", cloud, tokens);
        const iam = serviceServer("iam", cloud, tokens);
        for (const app of [compute, dns, iam]) opened.push(() => app.close());
        const computeUrl = await listen(compute, options.ports?.compute);
        const dnsUrl = await listen(dns, options.ports?.dns);
        const iamUrl = await listen(iam, options.ports?.iam);

        for (const vm of stores.vms.list()) if (vm.state === "RUNNING") fleet?.start(vm);
        lifecycle.resume();

        const operator: Caller = { orgId, kind: "user" };
        const call: LocalCloud["call"] = (name, request) =>
            handlers[name](cloud, request, operator);
        return {
            computeUrl,
            dnsUrl,
            iamUrl,
            imdsUrl,
            apiKey,
            apiKeyFile,
            orgId,
            environment: () => ({
                EXCLOUD_COMPUTE_BASE_URL: computeUrl,
                EXCLOUD_DNS_BASE_URL: dnsUrl,
                EXCLOUD_IAM_BASE_URL: iamUrl,
                EXCLOUD_API_KEY: apiKey,
            }),
            inventory: () => inventoryOf(stores),
            nodes: () => fleet?.statuses() ?? [],
            nodeLog: (vmId) => fleet?.log(vmId),
            call,
            terminateVm: (vmId) => {
                call("vmTerminate", { vm_id: vmId, delete_root_volume: true });
            },
            deleteRecord: (record) => {
                call("recordDelete", record);
            },
            deleteRule: (ruleId) => {
                call("ruleDelete", { security_group_rule_id: ruleId });
            },
            close,
        };
    } catch (error) {
        await close();
        throw error;
    }
}

/** What else happens when a VM enters a state. */
function follow(stores: Stores, tokens: Tokens, fleet: NodeFleet | undefined, vm: VmRow): void {
    if (vm.state === "RUNNING") {
        fleet?.start(vm);
        return;
    }
    fleet?.stop(vm.vm_id);
    if (vm.state === "TERMINATED") {
        tokens.revoke(vm.vm_id);
        releaseVm(stores, vm);
        if (vm.delete_root_volume) fleet?.remove(vm.vm_id);
    }
}

const storesFolder = (dir: string): string => path.join(dir, "state");

/** The index of the networks that an existing cloud's subnets lie in. */
function networkOf(dir: string): NetworkClaim["index"] | undefined {
    const file = path.join(storesFolder(dir), "subnets.json");
    if (!existsSync(file)) return undefined;
    const [first] = JSON.parse(readFileSync(file, "utf8")) as SubnetRow[];
    return first === undefined ? undefined : networkIndex(first.cidr_ipv4);
}

function prepareApiKey(file: string, given: string | undefined): string {
    const kept = existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
    const apiKey = given ?? kept ?? `exk_${randomBytes(32).toString("base64url")}`;
    if (apiKey !== kept) writeFileAtomic(file, `${apiKey}\n`);
    return apiKey;
}

async function listen(app: FastifyInstance, port = 0): Promise<string> {
    await app.listen({ host, port });
    return `http://${host}:${(app.server.address() as AddressInfo).port}`;
}
