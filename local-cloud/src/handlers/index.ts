import { catalogHandlers } from "./catalog";
import { dnsHandlers } from "./dns";
import type { Handlers } from "./handler";
import { iamHandlers } from "./iam";
import { securityGroupHandlers } from "./security-groups";
import { snapshotHandlers } from "./snapshots";
import { vmHandlers } from "./vms";

/** The implementation of every operation of the table. */
export const handlers: Handlers = {
    ...catalogHandlers,
    ...vmHandlers,
    ...snapshotHandlers,
    ...securityGroupHandlers,
    ...dnsHandlers,
    ...iamHandlers,
};
