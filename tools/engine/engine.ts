/** A Pulumi CLI with the plugins that lie beside it. */
export interface Engine {
    /** Where it comes from: found on PATH, the official release in our cache, built from source. */
    readonly origin: "path" | "official" | "source";
    /** Version as printed, `v3.259.0`. */
    readonly version: string;
    /** Folder that holds `pulumi`, its language host and the launcher of dynamic providers. */
    readonly folder: string;
}

/** Receives one line for the user about what is done. */
export type Report = (line: string) => void;
