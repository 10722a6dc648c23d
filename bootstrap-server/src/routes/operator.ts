import { bodyLimits } from "../limits";
import * as clusters from "../service/clusters";
import * as bundles from "../service/node-bundles";
import * as roleFiles from "../service/role-files";
import * as slots from "../service/slots";
import { clusterStatus } from "../service/status";
import { guardByOperator } from "./operator-guard";
import * as schemas from "./schemas";
import type { Context } from "../context";
import type { App } from "./types";

const { errors } = schemas;
const tags = ["operator"];
const security = [{ operator: [] }];
const Nothing = schemas.noBody("done");

/** Adds the operator's routes, each behind an operator's token and in the audit. */
export function operatorRoutes(app: App, context: Context): void {
    guardByOperator(app, context);
    clusterRoutes(app, context);
    slotRoutes(app, context);
    roleFilesRoutes(app, context);
    bundleRoutes(app, context);
}

function clusterRoutes(app: App, context: Context): void {
    app.post(
        "/v1/clusters",
        {
            schema: {
                tags,
                security,
                summary: "Register a cluster, or adopt an interrupted registration",
                body: schemas.ClusterRequest,
                response: { 200: schemas.Cluster, ...errors(400, 401, 409) },
            },
        },
        (request) => clusters.registerCluster(context, request.body.key),
    );
    app.get(
        "/v1/clusters",
        {
            schema: {
                tags,
                security,
                summary: "Every cluster of this server, oldest first",
                response: { 200: schemas.ClusterList, ...errors(401) },
            },
        },
        () => clusters.listClusters(context),
    );
    app.get(
        "/v1/clusters/:cluster_id",
        {
            schema: {
                tags,
                security,
                summary: "Read a cluster",
                params: schemas.ClusterParams,
                response: { 200: schemas.Cluster, ...errors(400, 401, 404) },
            },
        },
        (request) => clusters.readCluster(context, Number(request.params.cluster_id)),
    );
    app.delete(
        "/v1/clusters/:cluster_id",
        {
            schema: {
                tags,
                security,
                summary: "Delete a cluster with its slots and files",
                params: schemas.ClusterParams,
                querystring: schemas.ClusterDeletion,
                response: { 204: Nothing, ...errors(400, 401, 404, 409) },
            },
        },
        async ({ params, query }, reply) => {
            const onlySilent = query.only_silent !== undefined;
            await clusters.deleteCluster(context, Number(params.cluster_id), { onlySilent });
            return reply.code(204).send();
        },
    );
    app.get(
        "/v1/clusters/:cluster_id/status",
        {
            schema: {
                tags,
                security,
                summary: "What the nodes of a cluster reported",
                params: schemas.ClusterParams,
                response: { 200: schemas.ClusterStatus, ...errors(400, 401, 404) },
            },
        },
        (request) => clusterStatus(context, Number(request.params.cluster_id)),
    );
    app.get(
        "/v1/vms/:vm_id",
        {
            schema: {
                tags,
                security,
                summary: "Which slot a VM fills",
                params: schemas.VmParams,
                response: { 200: schemas.VmView, ...errors(400, 401, 404) },
            },
        },
        (request) => slots.findVm(context, Number(request.params.vm_id)),
    );
}

function slotRoutes(app: App, context: Context): void {
    const url = "/v1/clusters/:cluster_id/nodes/:slot";
    app.put(
        url,
        {
            schema: {
                tags,
                security,
                summary: "Create a slot, or give it a new secret",
                params: schemas.SlotParams,
                body: schemas.SlotRequest,
                response: { 200: schemas.SlotView, ...errors(400, 401, 404, 422) },
            },
        },
        ({ params, body }) => slots.putSlot(context, Number(params.cluster_id), params.slot, body),
    );
    app.get(
        url,
        {
            schema: {
                tags,
                security,
                summary: "Read a slot",
                params: schemas.SlotParams,
                response: { 200: schemas.SlotView, ...errors(400, 401, 404) },
            },
        },
        ({ params }) => slots.readSlot(context, Number(params.cluster_id), params.slot),
    );
    app.delete(
        url,
        {
            schema: {
                tags,
                security,
                summary: "Delete a slot with what is bound to it",
                params: schemas.SlotParams,
                response: { 204: Nothing, ...errors(400, 401, 404) },
            },
        },
        async ({ params }, reply) => {
            await slots.deleteSlot(context, Number(params.cluster_id), params.slot);
            return reply.code(204).send();
        },
    );
}

function roleFilesRoutes(app: App, context: Context): void {
    const url = "/v1/clusters/:cluster_id/roles/:role/files";
    app.put(
        url,
        {
            bodyLimit: bodyLimits.files,
            schema: {
                tags,
                security,
                summary: "Put the files that all nodes of a role share",
                params: schemas.RoleParams,
                body: schemas.RoleFilesRequest,
                response: { 200: schemas.RoleFilesView, ...errors(400, 401, 404, 422) },
            },
        },
        ({ params, body }) =>
            roleFiles.putRoleFiles(context, Number(params.cluster_id), params.role, body),
    );
    app.get(
        url,
        {
            schema: {
                tags,
                security,
                summary: "Read which files a role has",
                params: schemas.RoleParams,
                response: { 200: schemas.RoleFilesView, ...errors(400, 401, 404) },
            },
        },
        ({ params }) => roleFiles.readRoleFiles(context, Number(params.cluster_id), params.role),
    );
    app.delete(
        url,
        {
            schema: {
                tags,
                security,
                summary: "Delete the files of a role",
                params: schemas.RoleParams,
                response: { 204: Nothing, ...errors(400, 401, 404) },
            },
        },
        async ({ params }, reply) => {
            await roleFiles.deleteRoleFiles(context, Number(params.cluster_id), params.role);
            return reply.code(204).send();
        },
    );
}

function bundleRoutes(app: App, context: Context): void {
    const url = "/v1/clusters/:cluster_id/nodes/:slot/bundle";
    app.put(
        url,
        {
            bodyLimit: bodyLimits.files,
            schema: {
                tags,
                security,
                summary: "Bind a VM to a slot and put its bundle",
                params: schemas.SlotParams,
                body: schemas.NodeBundleRequest,
                response: { 200: schemas.NodeBundlePut, ...errors(400, 401, 404, 409, 422) },
            },
        },
        ({ params, body }) =>
            bundles.putNodeBundle(context, Number(params.cluster_id), params.slot, body),
    );
    app.get(
        url,
        {
            schema: {
                tags,
                security,
                summary: "Read a node's bundle: digests in place of contents",
                params: schemas.SlotParams,
                response: { 200: schemas.NodeBundleView, ...errors(400, 401, 404) },
            },
        },
        ({ params }) => bundles.readNodeBundle(context, Number(params.cluster_id), params.slot),
    );
    app.delete(
        url,
        {
            schema: {
                tags,
                security,
                summary: "Unbind the VM of a slot and delete its bundle",
                params: schemas.SlotParams,
                response: { 204: Nothing, ...errors(400, 401, 404) },
            },
        },
        async ({ params }, reply) => {
            await bundles.deleteNodeBundle(context, Number(params.cluster_id), params.slot);
            return reply.code(204).send();
        },
    );
}
