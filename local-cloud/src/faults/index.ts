/** Faults of calls, for any Fastify server whose routes are a table of operations. */
export { CallFaults, type CallFault, type CallFaultSpec } from "./call-faults";
export { faultKinds, kindsFor, type FaultKind } from "./kinds";
export { callFaults } from "./plugin";
