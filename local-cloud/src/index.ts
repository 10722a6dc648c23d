/** Excloud on one machine, for tests and for trying the component without an account. */
export { startLocalCloud, type LocalCloud } from "./cloud";
export { defaultDelays, type Delays, type LocalCloudOptions } from "./options";
export {
    CallFaults,
    callFaults,
    faultKinds,
    kindsFor,
    type CallFault,
    type CallFaultSpec,
    type FaultKind,
} from "./faults/index";
export { ApiError } from "./http/errors";
export type { Inventory } from "./inventory";
export type { NodeStatus } from "./nodes/status";
export { missingForRealNodes, requireRealNodes } from "./real/requirements";
