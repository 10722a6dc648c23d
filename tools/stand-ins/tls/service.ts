import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct, type JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb";
import { unary } from "../plugin/serve";
import {
    differenceOf,
    failuresOf,
    refreshedOutputs,
    refuseUnknown,
    updatedOutputs,
} from "./lifecycle";
import { TLS_PLUGIN } from "./names";
import type { Properties } from "./properties";
import { resourceOf } from "./resources";

/** The methods of ResourceProvider that the engine calls for custom resources. */
export function tlsProvider(): UntypedServiceImplementation {
    return {
        getPluginInfo: unary(() => {
            const info = new PluginInfo();
            info.setVersion(TLS_PLUGIN.version);
            return info;
        }),
        checkConfig: unary((request: provider.CheckRequest) => {
            const response = new provider.CheckResponse();
            response.setInputs(request.getNews());
            return response;
        }),
        diffConfig: unary(() => new provider.DiffResponse()),
        // Secrets come as plain values and the SDK's additionalSecretOutputs guards what is made of
        // them; a preview must not make keys. Both are the defaults of the response.
        configure: unary(() => new provider.ConfigureResponse()),
        check: unary(check),
        diff: unary(diff),
        create: unary(create),
        read: unary(read),
        update: unary(update),
        delete: unary(() => new Empty()),
        cancel: unary(() => new Empty()),
    };
}

function check(request: provider.CheckRequest): provider.CheckResponse {
    const inputs = propertiesOf(request.getNews());
    const response = new provider.CheckResponse();
    response.setInputs(structOf(inputs));
    for (const { property, reason } of failuresOf(resourceOf(request.getUrn()), inputs)) {
        const failure = new provider.CheckFailure();
        failure.setProperty(property);
        failure.setReason(reason);
        response.addFailures(failure);
    }
    return response;
}

function diff(request: provider.DiffRequest): provider.DiffResponse {
    const outputs = propertiesOf(request.getOlds());
    const { changed, replacing } = differenceOf(
        resourceOf(request.getUrn()),
        {
            inputs: request.hasOldInputs() ? propertiesOf(request.getOldInputs()) : outputs,
            outputs,
        },
        propertiesOf(request.getNews()),
    );
    const { DIFF_SOME, DIFF_NONE } = provider.DiffResponse.DiffChanges;
    const response = new provider.DiffResponse();
    response.setChanges(changed.length > 0 ? DIFF_SOME : DIFF_NONE);
    response.setDiffsList([...changed]);
    response.setReplacesList([...replacing]);
    return response;
}

async function create(request: provider.CreateRequest): Promise<provider.CreateResponse> {
    const inputs = propertiesOf(request.getProperties());
    refuseUnknown(inputs);
    const { id, properties } = await resourceOf(request.getUrn()).create(inputs);
    const response = new provider.CreateResponse();
    response.setId(id);
    response.setProperties(structOf(properties));
    return response;
}

function read(request: provider.ReadRequest): provider.ReadResponse {
    const outputs = propertiesOf(request.getProperties());
    const inputs = propertiesOf(request.getInputs());
    resourceOf(request.getUrn());
    if (Object.keys(outputs).length === 0) {
        throw new Error(
            "a key or certificate exists in the stack's state only, so it cannot be imported or looked up by its id",
        );
    }
    const response = new provider.ReadResponse();
    response.setId(request.getId());
    response.setProperties(structOf(refreshedOutputs(outputs, inputs)));
    response.setInputs(request.getInputs());
    return response;
}

function update(request: provider.UpdateRequest): provider.UpdateResponse {
    const inputs = propertiesOf(request.getNews());
    refuseUnknown(inputs);
    const response = new provider.UpdateResponse();
    response.setProperties(
        structOf(
            updatedOutputs(resourceOf(request.getUrn()), propertiesOf(request.getOlds()), inputs),
        ),
    );
    return response;
}

function propertiesOf(struct: Struct | undefined): Properties {
    return struct?.toJavaScript() ?? {};
}

function structOf(properties: Properties): Struct {
    return Struct.fromJavaScript(properties as Record<string, JavaScriptValue>);
}
