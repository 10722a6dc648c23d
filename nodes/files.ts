import type { Role } from "../contract/roles";
import type { NodeFile } from "./file";
import { podNetworks } from "./network";
import type { Program } from "./program";
import { programs } from "./programs";
import { addons } from "./programs/addons";
import { parameterFiles } from "./role-files";
import { programsOf } from "./roles";
import type { ClusterSettings } from "./values/settings";

const filesOf = (list: readonly Program[]): NodeFile[] => list.flatMap(({ files }) => files);

/** Every rendered file of any node. */
export const nodeFiles: readonly NodeFile[] = [
    ...parameterFiles,
    ...filesOf(programs),
    ...Object.values(podNetworks).flatMap(({ files, addonFiles }) => [...files, ...addonFiles]),
];

/** The files that nodes of a role have under these settings, of one scope. */
export function nodeFilesFor(
    settings: ClusterSettings,
    role: Role,
    scope: NodeFile["scope"],
): NodeFile[] {
    const { files, addonFiles } = podNetworks[settings.cni];
    const installsAddons = programsOf(role).includes(addons);
    const all = [
        ...parameterFiles,
        ...filesOf(programsOf(role)),
        ...files,
        ...(installsAddons ? addonFiles : []),
    ];
    return all.filter((file) => file.scope === scope && (file.when?.(settings) ?? true));
}
