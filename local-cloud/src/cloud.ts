import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import * as path from "node:path";

import {
    type OperationName,
    operations,
    type RequestOf,
    type ResponseOf,
    type schemas,
} from "excloud-k8s/api";
import type { FastifyInstance } from "fastify";

import { CallFaults } from "./faults/call-faults";
import { NodeFaults } from "./faults/node-faults";
import { callFaults } from "./faults/plugin";
import { spoiltVms } from "./faults/spoilt-vms";
import type { CloudContext } from "./handlers/handler";
import { handlers } from "./handlers/index";
import { releaseVm } from "./handlers/vms";
import { addAdminRoutes } from "./http/admin";
import { imdsServer } from "./http/imds";
import { serviceServer } from "./http/server";
import { type Inventory, inventoryOf } from "./inventory";
import { Lifecycle } from "./lifecycle";
import { type NodeDriver, noNodes, simulatedNodes } from "./nodes/driver";
import { NodeFleet } from "./nodes/fleet";
import type { NodeStatus } from "./nodes/status";
import { defaultDelays, type Delays, type LocalCloudOptions } from "./options";
import { realNetwork } from "./real/network";
import { type Mirrors, startRealNodes } from "./real/start";
import { writeFileAtomic } from "./state/files";
import type { SubnetRow } from "./state/model";
import {
    bridgeSubnets,
    claimNetwork,
    defaultSubnets,
    type NetworkClaim,
    networkIndex,
} from "./state/networks";
import { Stores } from "./state/stores";
import { type Caller, Tokens } from "./state/tokens";

const defaultTokenLifetimeMs = 6 * 60 * 60 * 1000;

/** A running local cloud. */
export interface LocalCloud {
    readonly computeUrl: string;
    readonly dnsUrl: string;
    readonly iamUrl: string;
    readonly imdsUrl: string;
    /** What serves real nodes with programs, charts and images; undefined for others. */
    readonly mirrors: Mirrors | undefined;
    readonly apiKey: string;
    /** File with the API key, mode 0600. */
    readonly apiKeyFile: string;
    readonly orgId: number;
    /** What goes wrong on purpose with calls over HTTP; `call` is never hit. */
    readonly faults: CallFaults<OperationName>;
    /** The environment variables that make the provider use this cloud. */
    environment(): Record<string, string>;
    /** Everything that exists and costs or lingers. */
    inventory(): Inventory;
    /** The nodes; empty with `nodes: "none"`. */
    nodes(): NodeStatus[];
    /** The log of a node; undefined when there is none. */
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
 * Starts Excloud on this machine: computeapi, DNS, IAM and IMDS on 127.0.0.1, or at the gateway of real
 * nodes, and a node for every running VM.
 *
 * @throws Error when a port is taken, or when the wanted nodes are not possible on this machine
 */
export async function startLocalCloud(options: LocalCloudOptions): Promise<LocalCloud> {
    const { dir } = options;
    const orgId = options.orgId ?? 5;
    const delays = { ...defaultDelays, ...options.delays };
    const kind = options.nodes ?? "simulated";
    const simulated = kind === "simulated";
    const real = typeof kind === "object" ? kind : undefined;
    const host = real === undefined ? "127.0.0.1" : realNetwork(real.network).gateway;
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
        for (const closeOne of opened.splice(0).reverse()) {
            await closeOne();
        }
    };
    try {
        const claim = simulated ? await claimNetwork(networkOf(dir)) : undefined;
        if (claim !== undefined) {
            opened.push(() => claim.release());
        }
        const stores = new Stores(storesFolder(dir), {
            subnets:
                real === undefined
                    ? defaultSubnets(claim?.index ?? 0)
                    : bridgeSubnets(real.network),
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

        const nodeFaults = new NodeFaults();
        const imds = imdsServer(stores, tokens, nodeFaults);
        opened.push(() => imds.close());
        const imdsUrl =
            real === undefined
                ? await listen(imds, host, options.ports?.imds)
                : await listen(imds, realNetwork(real.network).metadata, metadataPort);

        const log = (line: string): void => console.error(line);
        const realNodes =
            real === undefined
                ? undefined
                : await startRealNodes(real, path.join(dir, "nodes"), stores, {
                      poweredOff: (vmId) => lifecycle.poweredOff(vmId),
                      problem: log,
                  });
        if (realNodes !== undefined) {
            opened.push(() => realNodes.close());
            nodeFaults.use(realNodes.mirror);
        }
        const nodes = realNodes?.driver ?? otherNodes(simulated, dir, imdsUrl, delays);
        opened.push(() => nodes.close());

        const faults = new CallFaults<OperationName>(operations);
        const work = spoiltVms(nodes.work, faults);
        const lifecycle: Lifecycle = new Lifecycle(stores.vms, work, (vm) => {
            nodes.entered(vm);
            if (vm.state === "TERMINATED") {
                tokens.revoke(vm.vm_id);
                releaseVm(stores, vm);
            }
        });
        opened.push(() => lifecycle.close());
        const cloud: CloudContext = { stores, lifecycle, disks: nodes.disks };

        const compute = serviceServer("compute", cloud, tokens);
        addAdminRoutes(compute, stores, nodes, nodeFaults, faults);
        const dns = serviceServer("dns", cloud, tokens);
        const iam = serviceServer("iam", cloud, tokens);
        for (const app of [compute, dns, iam]) {
            opened.push(() => app.close());
            app.register(callFaults(faults));
        }
        const computeUrl = await listen(compute, host, options.ports?.compute);
        const dnsUrl = await listen(dns, host, options.ports?.dns);
        const iamUrl = await listen(iam, host, options.ports?.iam);

        for (const vm of stores.vms.list()) {
            if (vm.state === "RUNNING") {
                nodes.resume(vm);
            }
        }
        lifecycle.resume();

        const operator: Caller = { orgId, kind: "user" };
        const call: LocalCloud["call"] = (name, request) =>
            handlers[name](cloud, request, operator);
        return {
            computeUrl,
            dnsUrl,
            iamUrl,
            imdsUrl,
            mirrors: realNodes?.mirrors,
            apiKey,
            apiKeyFile,
            orgId,
            faults,
            environment: () => ({
                EXCLOUD_COMPUTE_BASE_URL: computeUrl,
                EXCLOUD_DNS_BASE_URL: dnsUrl,
                EXCLOUD_IAM_BASE_URL: iamUrl,
                EXCLOUD_API_KEY: apiKey,
            }),
            inventory: () => inventoryOf(stores),
            nodes: () => nodes.statuses(),
            nodeLog: (vmId) => nodes.log(vmId),
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

/** The port of the metadata service where clouds have it. */
const metadataPort = 80;

function otherNodes(simulated: boolean, dir: string, imdsUrl: string, delays: Delays): NodeDriver {
    return simulated
        ? simulatedNodes(new NodeFleet({ dir: path.join(dir, "nodes"), imdsUrl, delays }), delays)
        : noNodes(delays);
}

const storesFolder = (dir: string): string => path.join(dir, "state");

/** The index of the networks that an existing cloud's subnets lie in. */
function networkOf(dir: string): NetworkClaim["index"] | undefined {
    const file = path.join(storesFolder(dir), "subnets.json");
    if (!existsSync(file)) {
        return undefined;
    }
    const [first] = JSON.parse(readFileSync(file, "utf8")) as SubnetRow[];
    return first === undefined ? undefined : networkIndex(first.cidr_ipv4);
}

function prepareApiKey(file: string, given: string | undefined): string {
    const kept = existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
    const apiKey = given ?? kept ?? `exk_${randomBytes(32).toString("base64url")}`;
    if (apiKey !== kept) {
        writeFileAtomic(file, `${apiKey}\n`);
    }
    return apiKey;
}

async function listen(app: FastifyInstance, host: string, port = 0): Promise<string> {
    await app.listen({ host, port });
    return `http://${host}:${(app.server.address() as AddressInfo).port}`;
}
