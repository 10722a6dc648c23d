import { script, unit, unitPath } from "../file";
import { clusterEnvPath, paths } from "../paths";
import { program } from "../program";

/** Keeps pods away from the cloud's metadata service, which would tell them who the VM is. */
export const imdsGuard = program({
    name: "imds-guard",
    files: [
        script("imds-guard", "exk8s-imds-guard.sh"),
        unit("imds-guard", "exk8s-imds-guard.service"),
    ],
    units: ["exk8s-imds-guard"],
    reactions: [
        {
            action: "restart:exk8s-imds-guard",
            to: [
                unitPath("exk8s-imds-guard.service"),
                `${paths.bin}/exk8s-imds-guard.sh`,
                clusterEnvPath,
            ],
        },
    ],
});
