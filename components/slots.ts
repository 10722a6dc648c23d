import type { ExcloudK8sClusterArgs } from "./cluster-args";

/** Short names of the control planes, `cp-1` first. */
export function slotsOf({ controlPlaneCount = 1 }: ExcloudK8sClusterArgs): string[] {
    return Array.from({ length: controlPlaneCount }, (_, index) => `cp-${index + 1}`);
}
