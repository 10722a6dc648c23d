import { beforeAll } from "@jest/globals";

import { kubeadmFiles } from "./kubeadm";
import { ourNode, type PlannedFile } from "./our-node";
import type { Files } from "./scenario";

/** The same node as we and as kubeadm describe it. Filled before the tests of a file run. */
export interface BothNodes {
    ours: Files;
    /** With modes and owners. */
    planned: Readonly<Record<string, PlannedFile>>;
    kubeadm: Files;
}

/** Has both nodes made for the tests of one file. */
export function bothNodes(): BothNodes {
    const nodes: BothNodes = { ours: {}, planned: {}, kubeadm: {} };
    beforeAll(async () => {
        const { files, planned } = await ourNode();
        Object.assign(nodes, { ours: files, planned, kubeadm: await kubeadmFiles() });
    });
    return nodes;
}
