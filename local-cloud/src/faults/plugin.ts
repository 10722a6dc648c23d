import type { Operation } from "excloud-k8s/api";
import type { FastifyPluginCallback, FastifyRequest } from "fastify";

import { after } from "./after";
import { before } from "./before";
import type { CallFault, CallFaults } from "./call-faults";
import { FormerLists } from "./former-lists";
import type { FaultKind, KindWith } from "./kinds";

const isBefore = (kind: FaultKind): kind is KindWith<"none"> => kind in before;

const membersOf = ({ params, query, body }: FastifyRequest): Record<string, unknown> =>
    Object.assign({}, params, query, body);

/**
 * Makes calls go wrong on any server whose routes are those of the registry's table. To be registered
 * before the scopes that hold them.
 *
 * Only calls that would be carried out are hit: those refused for their credential or their form are
 * neither hit nor counted.
 */
export function callFaults(faults: CallFaults): FastifyPluginCallback {
    const routes = new Map(
        Object.entries<Operation>(faults.operations).map(([name, operation]) => [
            `${operation.method} ${operation.path.replace(/\{(\w+)\}/g, ":$1")}`,
            { name, operation },
        ]),
    );
    const routeOf = ({ routeOptions: { method, url } }: FastifyRequest) =>
        routes.get(`${String(method)} ${url}`);
    const hit = new WeakMap<FastifyRequest, CallFault>();
    const lists = new FormerLists();

    const plugin: FastifyPluginCallback = (app, _options, done) => {
        app.addHook("preHandler", async (request, reply) => {
            const route = routeOf(request);
            if (route === undefined) {
                return undefined;
            }
            const { name, operation } = route;
            const fault = faults.take(name, membersOf(request));
            if (fault === undefined) {
                return undefined;
            }
            hit.set(request, fault);
            const { kind } = fault;
            if (!isBefore(kind)) {
                return undefined;
            }
            return before[kind]({ operation, requestId: request.id, reply, faults });
        });
        app.addHook("onSend", async (request, reply, payload) => {
            const route = routeOf(request);
            const fault = hit.get(request);
            const kind = fault?.kind;
            if (route === undefined || (kind !== undefined && isBefore(kind))) {
                return payload;
            }
            const text = typeof payload === "string" ? payload : "";
            const isList = route.name.endsWith("List") && reply.statusCode === 200;
            const former = isList ? lists.note(request.url, text) : text;
            // All faults may have been cleared while the call was carried out.
            const isLive = fault !== undefined && faults.list().includes(fault);
            if (kind === undefined || !isLive) {
                return payload;
            }
            return after[kind]({ reply, faults, payload: text, former });
        });
        done();
    };
    // Fastify would otherwise keep the hooks from the routes beside the plugin.
    return Object.assign(plugin, { [Symbol.for("skip-override")]: true });
}
