import type { BootstrapServer, Context } from "../context";
import { ApiError, seenIn } from "../errors";
import type { Handler } from "../handler";

export interface BootstrapServerReadinessInputs {
    bootstrap: BootstrapServer;
    /** The VM that the server runs on. */
    vmId: string;
    /** Seconds to wait for it. */
    timeout: number;
}

/**
 * Waits until a bootstrap server can serve, over TLS that trusts its authority only: what uses the server
 * is then made after it. It needs no credential, as the first one is made together with the server.
 */
export const bootstrapServerReadiness: Handler<BootstrapServerReadinessInputs> = {
    changes: { bootstrap: "update", vmId: "replace", timeout: "ignore" },

    async create(inputs, context) {
        await waitForServer(inputs, context);
        return { id: `${inputs.vmId}/ready`, outputs: {} };
    },

    read: (id) => Promise.resolve({ id, outputs: {} }),

    async update(id, _state, inputs, context) {
        await waitForServer(inputs, context);
        return { id, outputs: {} };
    },

    delete: () => Promise.resolve(),
};

async function waitForServer(
    { bootstrap, vmId, timeout }: BootstrapServerReadinessInputs,
    context: Context,
): Promise<void> {
    const call = context.newBootstrap(bootstrap);
    let seen = "";
    const isReady = await context.poll(timeout, async () => {
        try {
            await call("getReadiness");
            return true;
        } catch (error) {
            if (!(error instanceof ApiError)) {
                throw error;
            }
            if (seen !== seenIn(error)) {
                seen = seenIn(error);
                context.log(`bootstrap server  ${seen}`);
            }
            return undefined;
        }
    });
    if (!isReady) {
        throw new Error(
            `the bootstrap server on VM ${vmId} is not ready after ${timeout} s: ${seen}. Next: check that ` +
                "`allowedCidrs` lets this machine reach it, and look on the VM at `journalctl " +
                "-u excloud-k8s-bootstrap-install -u excloud-k8s-bootstrap`, which tell what keeps it; then run " +
                "`pulumi up` again, which goes on waiting",
        );
    }
    context.log("bootstrap server  ready");
}
