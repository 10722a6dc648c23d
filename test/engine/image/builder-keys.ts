import { readFileSync } from "node:fs";
import { join } from "node:path";

import type { SshIdentity } from "../../support/ssh-machine";

/** The keys that the user data of a cloud's latest VM, a builder, gives it. */
export function builderKeys(cloud: string): SshIdentity {
    const file = join(cloud, "state/vms.json");
    const rows = JSON.parse(readFileSync(file, "utf8")) as { user_data: string; vm_id: number }[];
    const { user_data: text } = rows.reduce((one, other) =>
        one.vm_id > other.vm_id ? one : other,
    );
    const [, hostKey = "", authorizedKey = ""] = text
        .split(/<<'KEY'\n/)
        .map((part) => part.split("KEY\n")[0]);
    return { hostKey, authorizedKey };
}
