import type { UntypedServiceImplementation } from "@grpc/grpc-js";

import { type PluginResource, providerService } from "../plugin/provider";
import { differenceOf, failuresOf, refreshedOutputs, updatedOutputs } from "./lifecycle";
import { TLS_PLUGIN } from "./names";
import type { TlsResource } from "./resource";
import { TLS_RESOURCES } from "./resources";

/** The plugin: every type behaves alike but for what it makes. */
export function tlsProvider(): UntypedServiceImplementation {
    return providerService(
        TLS_PLUGIN,
        Object.fromEntries(
            Object.entries(TLS_RESOURCES).map(([type, resource]) => [type, driven(resource)]),
        ),
    );
}

function driven(resource: TlsResource): PluginResource {
    return {
        failures: (inputs) => failuresOf(resource, inputs),
        difference: (old, inputs) => differenceOf(resource, old, inputs),
        create: (inputs) => resource.create(inputs),
        update: (outputs, inputs) => updatedOutputs(resource, outputs, inputs),
        read: (outputs, inputs) => refreshedOutputs(outputs, inputs),
        delete: () => undefined,
    };
}
