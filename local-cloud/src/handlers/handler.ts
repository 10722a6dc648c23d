import type { OperationName, operations, RequestOf, ResponseOf } from "excloud-k8s/api";

import type { Lifecycle } from "../lifecycle";
import type { Disks } from "../nodes/driver";
import type { Stores } from "../state/stores";
import type { Caller } from "../state/tokens";

/** What a handler works on. */
export interface CloudContext {
    readonly stores: Stores;
    readonly lifecycle: Lifecycle;
    readonly disks: Disks;
}

/**
 * One operation: takes a request that fits its schema, answers or throws an ApiError. Handlers are
 * synchronous, so each is atomic.
 */
export type Handler<Name extends OperationName> = (
    cloud: CloudContext,
    request: RequestOf<(typeof operations)[Name]>,
    caller: Caller,
) => ResponseOf<(typeof operations)[Name]>;

/** An implementation for each of the given operations: a missing one does not compile. */
export type Handlers<Name extends OperationName = OperationName> = {
    readonly [N in Name]: Handler<N>;
};
