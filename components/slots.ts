import { controlPlanePool, slotsOf } from "../contract/pools";
import type { ExcloudK8sClusterArgs } from "./cluster-args";

/** Slots of the control planes, `cp-1` first. */
export function controlPlaneSlots({ controlPlaneCount = 1 }: ExcloudK8sClusterArgs): string[] {
    return slotsOf(controlPlanePool, controlPlaneCount);
}
