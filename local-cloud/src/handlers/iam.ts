import type { Handlers } from "./handler";

export const iamHandlers: Handlers<"me"> = {
    me: (_cloud, _request, caller) => ({
        org_id: caller.orgId,
        kind: caller.kind,
        ...(caller.vmId === undefined ? { account_id: 1 } : { vm_id: caller.vmId }),
    }),
};
