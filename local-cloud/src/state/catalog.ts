import type { ImageRow, InstanceTypeRow } from "./model";

/** The only zone that is ever seen. */
export const zoneId = 1;

/** The only project that is ever seen. */
export const projectId = 1;

/** Images by name; ids differ between organisations, so programs look them up by name. */
export const images: readonly ImageRow[] = [
    { id: 1, name: "ubuntu-24.04-latest" },
    { id: 2, name: "ubuntu-22.04-latest" },
    { id: 3, name: "debian-12-latest" },
];

/** Instance types with their published sizes; that of `m1a.xlarge` is assumed. */
export const instanceTypes: readonly InstanceTypeRow[] = [
    { name: "t1a.micro", cpu: 2, memory_mib: 1024 },
    { name: "t1a.small", cpu: 2, memory_mib: 2048 },
    { name: "t1a.medium", cpu: 2, memory_mib: 4096 },
    { name: "m1a.xlarge", cpu: 4, memory_mib: 16384 },
];
