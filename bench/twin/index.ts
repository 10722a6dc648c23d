import { readFileSync } from "node:fs";

import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

// Registers what another program registered, read from a plan: the same resources with the same inputs
// and the same edges, and dynamic providers that do nothing. What is left is the engine's own work.

/** A resource of the plan. References to others are their URNs in the state that the plan was made from. */
interface Planned {
    urn: string;
    type: string;
    name: string;
    /** False for components. */
    custom: boolean;
    inputs: Record<string, unknown>;
    outputs: Record<string, unknown>;
    parent?: string;
    dependencies: string[];
    propertyDependencies: Record<string, string[]>;
    deletedWith?: string;
    additionalSecretOutputs: string[];
    hideDiffs: string[];
}

interface Plan {
    resources: Planned[];
    outputs: Record<string, unknown>;
}

/** How the engine marks a secret in an exported state. */
const secretMark = "4dabf18193072939515e22adb298388d";

const tlsTypes: Record<string, new (...args: never[]) => pulumi.Resource> = {
    "tls:index/privateKey:PrivateKey": tls.PrivateKey,
    "tls:index/selfSignedCert:SelfSignedCert": tls.SelfSignedCert,
    "tls:index/certRequest:CertRequest": tls.CertRequest,
    "tls:index/locallySignedCert:LocallySignedCert": tls.LocallySignedCert,
};

const file = process.env["BENCH_TWIN_PLAN"];
if (file === undefined) {
    throw new Error("BENCH_TWIN_PLAN is not set: it names the file of the plan");
}
const plan = JSON.parse(readFileSync(file, "utf8")) as Plan;
const made = new Map<string, pulumi.Resource>();

function make(planned: Planned): pulumi.Resource {
    const { type, name, custom, inputs, outputs, propertyDependencies, deletedWith } = planned;
    const parent = planned.parent === undefined ? undefined : made.get(planned.parent);
    if (!custom) {
        return new TwinComponent(type, name, outputs, parent ? { parent } : {});
    }
    const ofProperties = new Set(Object.values(propertyDependencies).flat());
    const options: pulumi.CustomResourceOptions = {
        dependsOn: resources(planned.dependencies.filter((urn) => !ofProperties.has(urn))),
        additionalSecretOutputs: planned.additionalSecretOutputs,
        hideDiffs: planned.hideDiffs,
        ...(parent ? { parent } : {}),
        ...(deletedWith === undefined ? {} : { deletedWith: resources([deletedWith])[0] }),
    };
    const args = Object.fromEntries(
        Object.entries(inputs).map(([key, value]) => [
            key,
            depending(revive(value), propertyDependencies[key] ?? []),
        ]),
    );
    const tlsType = tlsTypes[type];
    return tlsType === undefined
        ? new TwinResource(type, name, args, options)
        : new tlsType(...([name, args, options] as never[]));
}

class TwinResource extends pulumi.CustomResource {}

class TwinComponent extends pulumi.ComponentResource {
    constructor(
        type: string,
        name: string,
        outputs: Record<string, unknown>,
        options: pulumi.ComponentResourceOptions,
    ) {
        super(type, name, {}, options);
        this.registerOutputs(revive(outputs) as pulumi.Inputs);
    }
}

function resources(urns: readonly string[]): pulumi.Resource[] {
    return urns.flatMap((urn) => made.get(urn) ?? []);
}

/** The value, known only once these resources are, as a value computed from their outputs is. */
function depending(value: unknown, urns: readonly string[]): unknown {
    const ids = resources(urns).map((resource) => (resource as pulumi.CustomResource).id);
    return ids.length === 0 ? value : pulumi.all(ids).apply(() => value);
}

/** Makes the secrets of an exported value secret inputs again. */
function revive(value: unknown): unknown {
    if (Array.isArray(value)) {
        return value.map(revive);
    }
    if (typeof value !== "object" || value === null) {
        return value;
    }
    if (secretMark in value && "plaintext" in value) {
        return pulumi.secret(JSON.parse(String(value.plaintext)));
    }
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, revive(member)]));
}

for (const planned of plan.resources) {
    made.set(planned.urn, make(planned));
}

export = revive(plan.outputs);
