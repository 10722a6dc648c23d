import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";

import { isUnknown, type Properties } from "./properties";
import { unary } from "./serve";

/** An input that cannot be accepted. */
export interface Failure {
    readonly property: string;
    readonly reason: string;
}

/** What a change of inputs does: names of changed properties, and of those that need a new object. */
export interface Difference {
    readonly changed: readonly string[];
    readonly replacing: readonly string[];
}

/** What there is of a resource: inputs as given, outputs with defaults. */
export interface Kept {
    readonly inputs: Properties;
    readonly outputs: Properties;
}

/** What a create leaves: the id and the complete outputs, inputs and defaults among them. */
export interface Created {
    readonly id: string;
    readonly properties: Properties;
}

/** One resource type, as the engine drives it. */
export interface PluginResource {
    /** Inputs that are refused, with the reason; never with a value. */
    failures(inputs: Properties): Failure[];
    difference(old: Kept, inputs: Properties): Difference;
    /** Called with known inputs only, as `update`. */
    create(inputs: Properties): Promise<Created>;
    /** Gives the new outputs. */
    update(outputs: Properties, inputs: Properties): Promise<Properties> | Properties;
    /** Outputs as they are now. */
    read(outputs: Properties, inputs: Properties): Properties;
    delete(outputs: Properties): Promise<void> | void;
}

/**
 * The methods of ResourceProvider that the engine calls for custom resources. Secrets come as plain values
 * and the SDK's additionalSecretOutputs guards what is made of them; a preview makes nothing.
 *
 * @param resources every resource type, by the last part of its type token
 */
export function providerService(
    { name, version }: { readonly name: string; readonly version: string },
    resources: Readonly<Record<string, PluginResource>>,
): UntypedServiceImplementation {
    /** Of a URN: `urn:pulumi:stack::project::parent$tls:index/privateKey:PrivateKey::name`. */
    const resourceOf = (urn: string): PluginResource => {
        const type = urn.split("::")[2]?.split("$").at(-1) ?? "";
        const resource = resources[type.split(":").at(-1) ?? ""];
        if (resource === undefined) {
            throw new Error(
                `the stand-in for the ${name} plugin has no resource type ${type}: it has ${Object.keys(resources).join(", ")}`,
            );
        }
        return resource;
    };
    return {
        getPluginInfo: unary(() => {
            const info = new PluginInfo();
            info.setVersion(version);
            return info;
        }),
        checkConfig: unary((request: provider.CheckRequest) => {
            const response = new provider.CheckResponse();
            response.setInputs(request.getNews());
            return response;
        }),
        diffConfig: unary(() => new provider.DiffResponse()),
        configure: unary(() => new provider.ConfigureResponse()),
        check: unary((request: provider.CheckRequest) => {
            const inputs = propertiesOf(request.getNews());
            const response = new provider.CheckResponse();
            response.setInputs(structOf(inputs));
            for (const { property, reason } of resourceOf(request.getUrn()).failures(inputs)) {
                const failure = new provider.CheckFailure();
                failure.setProperty(property);
                failure.setReason(reason);
                response.addFailures(failure);
            }
            return response;
        }),
        diff: unary((request: provider.DiffRequest) => {
            const outputs = propertiesOf(request.getOlds());
            const inputs = request.hasOldInputs() ? propertiesOf(request.getOldInputs()) : outputs;
            const { changed, replacing } = resourceOf(request.getUrn()).difference(
                { inputs, outputs },
                propertiesOf(request.getNews()),
            );
            const { DIFF_SOME, DIFF_NONE } = provider.DiffResponse.DiffChanges;
            const response = new provider.DiffResponse();
            response.setChanges(changed.length > 0 ? DIFF_SOME : DIFF_NONE);
            response.setDiffsList([...changed]);
            response.setReplacesList([...replacing]);
            return response;
        }),
        create: unary(async (request: provider.CreateRequest) => {
            const inputs = known(request.getProperties());
            const { id, properties } = await resourceOf(request.getUrn()).create(inputs);
            const response = new provider.CreateResponse();
            response.setId(id);
            response.setProperties(structOf(properties));
            return response;
        }),
        read: unary((request: provider.ReadRequest) => {
            const outputs = propertiesOf(request.getProperties());
            const resource = resourceOf(request.getUrn());
            if (Object.keys(outputs).length === 0) {
                throw new Error(
                    `a resource of the ${name} plugin exists in the stack's state only, so it cannot be imported or looked up by its id`,
                );
            }
            const response = new provider.ReadResponse();
            response.setId(request.getId());
            response.setProperties(
                structOf(resource.read(outputs, propertiesOf(request.getInputs()))),
            );
            response.setInputs(request.getInputs());
            return response;
        }),
        update: unary(async (request: provider.UpdateRequest) => {
            const inputs = known(request.getNews());
            const resource = resourceOf(request.getUrn());
            const response = new provider.UpdateResponse();
            response.setProperties(
                structOf(await resource.update(propertiesOf(request.getOlds()), inputs)),
            );
            return response;
        }),
        delete: unary(async (request: provider.DeleteRequest) => {
            await resourceOf(request.getUrn()).delete(propertiesOf(request.getProperties()));
            return new Empty();
        }),
        cancel: unary(() => new Empty()),
    };
}

function known(struct: Struct | undefined): Properties {
    const inputs = propertiesOf(struct);
    refuseUnknown(inputs);
    return inputs;
}

/** @throws when an input is not known yet: nothing can be made from it */
export function refuseUnknown(inputs: Properties): void {
    const unknown = Object.keys(inputs).find((name) => isUnknown(inputs[name]));
    if (unknown !== undefined) {
        throw new Error(`${unknown} is not known yet, and a create needs all inputs`);
    }
}

function propertiesOf(struct: Struct | undefined): Properties {
    return struct?.toJavaScript() ?? {};
}

function structOf(properties: Properties): Struct {
    return Struct.fromJavaScript(properties as Record<string, JavaScriptValue>);
}
