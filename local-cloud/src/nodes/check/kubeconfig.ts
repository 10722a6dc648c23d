import type { Bundle } from "#contract/bundle";

import { perBundle } from "./per-bundle";
import { yamlAt } from "./static-pods";

/** What a client takes from a kubeconfig's current context. */
export interface Kubeconfig {
    readonly server: string | undefined;
    readonly authority: string | undefined;
    readonly certificate: string | undefined;
    readonly key: string | undefined;
}

interface Named {
    readonly name?: string;
}

interface KubeconfigFile {
    readonly "current-context"?: string;
    readonly contexts?: readonly (Named & { context?: { cluster?: string; user?: string } })[];
    readonly clusters?: readonly (Named & { cluster?: Record<string, string> })[];
    readonly users?: readonly (Named & { user?: Record<string, string> })[];
}

/** Reads a kubeconfig of the bundle; undefined when the current context leads nowhere. */
export const readKubeconfig = perBundle(parseKubeconfig);

function parseKubeconfig(bundle: Bundle, path: string): Kubeconfig | undefined {
    const file = yamlAt(bundle, path) as KubeconfigFile | null | undefined;
    const context = byName(file?.contexts, file?.["current-context"])?.context;
    const cluster = byName(file?.clusters, context?.cluster)?.cluster;
    const user = byName(file?.users, context?.user)?.user;
    if (cluster === undefined || user === undefined) {
        return undefined;
    }
    // A member is in the file as base64, or is a path of another file.
    const text = (from: Record<string, string>, member: string): string | undefined => {
        const data = from[`${member}-data`];
        return data === undefined
            ? bundle.files[from[member] ?? ""]
            : Buffer.from(data, "base64").toString("utf8");
    };
    return {
        server: cluster["server"],
        authority: text(cluster, "certificate-authority"),
        certificate: text(user, "client-certificate"),
        key: text(user, "client-key"),
    };
}

const byName = <T extends Named>(list: readonly T[] | undefined, name: string | undefined) =>
    name === undefined ? undefined : list?.find((one) => one.name === name);
