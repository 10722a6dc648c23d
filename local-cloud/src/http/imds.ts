import { setTimeout as sleep } from "node:timers/promises";

import type { FastifyInstance, FastifyRequest } from "fastify";

import type { NodeFaults } from "../faults/node-faults";
import type { VmRow } from "../state/model";
import type { Stores } from "../state/stores";
import type { Tokens } from "../state/tokens";
import { ApiError } from "./errors";
import { jsonServer } from "./server";

/**
 * The instance metadata service: plain HTTP, and the caller is known by the address it calls from.
 * A token is bound to its VM, so it is of no use from another.
 */
export function imdsServer(stores: Stores, tokens: Tokens, faults: NodeFaults): FastifyInstance {
    const app = jsonServer("imds");
    app.addHook("onRequest", async () => {
        if (faults.imdsDelayMs > 0) {
            await sleep(faults.imdsDelayMs);
        }
    });

    const callingVm = (request: FastifyRequest): VmRow => {
        const address = request.socket.remoteAddress;
        const vm = stores.vms
            .list()
            .find((row) => row.state === "RUNNING" && row.interface.ipv4 === address);
        if (vm === undefined) {
            throw new ApiError(404, "imds.instance.not_found", `no VM runs at ${address}`);
        }
        return vm;
    };
    const verifiedVm = (request: FastifyRequest): VmRow => {
        const vm = callingVm(request);
        const token = request.headers["x-exc-imds-token"];
        if (typeof token !== "string" || !tokens.isSession(token, vm.vm_id)) {
            throw new ApiError(
                401,
                "imds.auth.unauthenticated",
                "X-exc-imds-token is missing, unknown, expired or another VM's",
            );
        }
        return vm;
    };

    app.get("/token", (request, reply) =>
        reply.type("text/plain").send(tokens.mint("imds", callingVm(request).vm_id)),
    );
    app.get("/latest/identity/node-identity", (request) => ({
        node_id: verifiedVm(request).vm_id,
    }));
    app.get("/latest/identity/access-token", (request) => ({
        access_token: tokens.mint("machine", verifiedVm(request).vm_id),
    }));
    return app;
}
