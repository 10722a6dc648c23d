import type { Operation } from "excloud-k8s/api";
import type { FastifyPluginCallback, FastifyRequest } from "fastify";

import { after } from "./after";
import { before } from "./before";
import type { CallFaults } from "./call-faults";
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
    const names = new Map(
        Object.entries<Operation>(faults.operations).map(([name, { method, path }]) => [
            `${method} ${path.replace(/\{(\w+)\}/g, ":$1")}`,
            name,
        ]),
    );
    const nameOf = ({ routeOptions: { method, url } }: FastifyRequest): string | undefined =>
        names.get(`${String(method)} ${url}`);
    const hit = new WeakMap<FastifyRequest, FaultKind>();
    const lists = new FormerLists();

    const plugin: FastifyPluginCallback = (app, _options, done) => {
        app.addHook("preHandler", async (request, reply) => {
            const name = nameOf(request);
            const operation = name === undefined ? undefined : faults.operations[name];
            if (name === undefined || operation === undefined) return undefined;
            const kind = faults.take(name, membersOf(request));
            if (kind === undefined) return undefined;
            hit.set(request, kind);
            if (!isBefore(kind)) return undefined;
            return before[kind]({ operation, requestId: request.id, reply, faults });
        });
        app.addHook("onSend", async (request, reply, payload) => {
            const name = nameOf(request);
            const kind = hit.get(request);
            if (name === undefined || (kind !== undefined && isBefore(kind))) return payload;
            const text = typeof payload === "string" ? payload : "";
            const isList = name.endsWith("List") && reply.statusCode === 200;
            const former = isList ? lists.note(request.url, text) : text;
            return kind === undefined
                ? payload
                : after[kind]({ reply, faults, payload: text, former });
        });
        done();
    };
    // Fastify would otherwise keep the hooks from the routes beside the plugin.
    return Object.assign(plugin, { [Symbol.for("skip-override")]: true });
}
