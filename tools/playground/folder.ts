import { join } from "node:path";

/** The stack of a playground. */
export const stackName = "playground";

/** Where a playground keeps everything it makes. */
export interface Folder {
    readonly root: string;
    readonly cloud: string;
    readonly server: string;
    readonly state: string;
    readonly home: string;
    readonly projectFile: string;
    readonly configFile: string;
    readonly passphraseFile: string;
    readonly kubeconfig: string;
    /** Names the folder of artifacts; there when the nodes are real. */
    readonly artifactsFile: string;
    /** Written by a service once it listens; holds its addresses and process id. */
    readyFile(service: string): string;
    logFile(service: string): string;
}

/** Names the parts of a playground's folder. */
export function folderAt(root: string): Folder {
    return {
        root,
        cloud: join(root, "cloud"),
        server: join(root, "bootstrap-server"),
        state: join(root, "state"),
        home: join(root, "pulumi-home"),
        projectFile: join(root, "Pulumi.yaml"),
        configFile: join(root, `Pulumi.${stackName}.yaml`),
        passphraseFile: join(root, "passphrase"),
        kubeconfig: join(root, "kubeconfig"),
        artifactsFile: join(root, "artifacts"),
        readyFile: (service) => join(root, `${service}.json`),
        logFile: (service) => join(root, `${service}.log`),
    };
}
