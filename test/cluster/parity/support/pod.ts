import { parse } from "yaml";

import { type Facts, leavesOf } from "./differences";
import { fileAt, type Files } from "./scenario";

/** What is read of a static pod; the rest is compared as plain data. */
export interface Pod {
    readonly spec: {
        readonly containers: readonly Container[];
        readonly volumes: readonly {
            readonly name: string;
            readonly hostPath: { readonly path: string; readonly type: string };
        }[];
    };
}

interface Container {
    readonly command: readonly string[];
    readonly args?: readonly string[];
    readonly volumeMounts: readonly {
        readonly name: string;
        readonly mountPath: string;
        readonly readOnly?: boolean;
    }[];
}

/** A path of the host that a program sees, at the same path. */
export interface Mount {
    readonly path: string;
    readonly type: string;
    readonly writable: boolean;
}

/** The manifest of a static pod. */
export const staticPod = (files: Files, program: string): Pod =>
    parse(fileAt(files, `/etc/kubernetes/manifests/${program}.yaml`)) as Pod;

/** Everything a pod says but for flags and mounts, which are compared apart. */
export function podFacts({ spec, ...pod }: Pod): Facts {
    const { containers, volumes: _volumes, ...ofPod } = spec;
    const facts = containers.map(
        ({ command: _command, volumeMounts: _mounts, ...container }) => container,
    );
    return leavesOf({ ...pod, spec: { ...ofPod, containers: facts } });
}

/**
 * What of the host a program sees.
 *
 * @throws when it sees something at another path, or a volume is used by no mount or by several
 */
export function mountsOf({ spec }: Pod): Mount[] {
    const mounts = spec.containers.flatMap(({ volumeMounts }) => volumeMounts);
    const names = mounts.map(({ name }) => name).sort();
    const volumes = spec.volumes.map(({ name }) => name).sort();
    if (names.join() !== volumes.join()) {
        throw new Error(`mounts ${names.join()} are not volumes ${volumes.join()}`);
    }
    return mounts.map(({ name, mountPath, readOnly = false }) => {
        const host = spec.volumes.find((volume) => volume.name === name)?.hostPath;
        if (host?.path !== mountPath) {
            throw new Error(`${mountPath} shows ${host?.path ?? "nothing"} of the host`);
        }
        return { path: mountPath, type: host.type, writable: !readOnly };
    });
}
