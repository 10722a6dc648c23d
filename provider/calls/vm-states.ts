import type { Vm } from "../api/schemas";

/** Whether a VM runs, or is on its way there by itself. */
export const isComing = ({ state }: Pick<Vm, "state">): boolean =>
    ["CREATING", "STARTING", "RUNNING"].includes(state);

/** Whether a VM is terminated, or is being. */
export const isGone = ({ state }: Pick<Vm, "state">): boolean =>
    state === "TERMINATING" || state === "TERMINATED";
