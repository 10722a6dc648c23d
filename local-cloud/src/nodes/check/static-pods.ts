import { posix } from "node:path";

import { parse } from "yaml";

import type { Bundle } from "#contract/bundle";

import { perBundle } from "./per-bundle";

/** The parts of a pod that are looked at; anything may be missing. */
export interface Pod {
    readonly apiVersion?: string;
    readonly kind?: string;
    readonly metadata?: { readonly namespace?: string };
    readonly spec?: {
        readonly containers?: readonly {
            readonly command?: readonly string[];
            readonly args?: readonly string[];
        }[];
    };
}

const folder = "/etc/kubernetes/manifests/";

/** A file of the bundle as YAML, undefined when it is none: that is another check's finding. */
export const yamlAt = perBundle((bundle: Bundle, file: string): unknown => {
    try {
        return parse(bundle.files[file] ?? "");
    } catch {
        return undefined;
    }
});

/** The static pods of a bundle that are YAML at all. */
export function* staticPods(
    bundle: Bundle,
): Iterable<{ file: string; component: string; pod: Pod }> {
    for (const file of Object.keys(bundle.files)) {
        if (!file.startsWith(folder)) {
            continue;
        }
        const pod = yamlAt(bundle, file) as Pod | null | undefined;
        yield { file, component: posix.basename(file, ".yaml"), pod: pod ?? {} };
    }
}

/** The flags of a pod's first container: `--name=value`; a flag without a value is `true`. */
export function flagsOf(pod: Pod): Map<string, string> {
    const container = pod.spec?.containers?.[0];
    const words = [...(container?.command ?? []), ...(container?.args ?? [])];
    return new Map(
        words.flatMap((word): [string, string][] => {
            const [, name, value] = /^--([\w-]+)(?:=(.*))?$/s.exec(word) ?? [];
            return name === undefined ? [] : [[name, value ?? "true"]];
        }),
    );
}

/** The flags of one component's static pod; empty when there is none. */
export function componentFlags(bundle: Bundle, component: string): Map<string, string> {
    for (const one of staticPods(bundle)) {
        if (one.component === component) {
            return flagsOf(one.pod);
        }
    }
    return new Map();
}
