/** Excloud's APIs and the bootstrap server's as tables, with the client that calls them. */
export { operations, type OperationName } from "./operations";
export { bootstrapOperations, type NodeStatus } from "../bootstrap/operations";
export type { Confidence, Operation, Operations, RequestOf, ResponseOf } from "./operation";
export * as schemas from "./schemas";
export { makeClient, type Call, type Endpoint } from "./client";
export { ApiError } from "../errors";
