import * as pulumi from "@pulumi/pulumi";

import { sha256 } from "../contract/manifest";

/**
 * A name in the cloud that no other program gives, and no other `contents`: things of this name that the state
 * does not know are what an interrupted run left. A VM may have it.
 */
export function uniqueName(
    kind: string,
    name: string,
    contents: Record<string, string> = {},
): string {
    const owner = [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack(), name];
    const digest = sha256(JSON.stringify([...owner, contents])).slice(0, 10);
    const readable = name
        .toLowerCase()
        .replaceAll(/[^a-z0-9]+/g, "-")
        .slice(0, 30);
    return `${kind}-${readable}-${digest}`.replaceAll(/-+/g, "-");
}
