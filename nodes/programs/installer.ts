import { script } from "../file";
import { downloadsPath, paths } from "../paths";
import { program } from "../program";

/** Ensures that every program of a node is there at its version. */
export const installer = program({
    name: "installer",
    files: [script("installer", "exk8s-install-control-plane-prereqs.sh")],
    reactions: [
        {
            action: "install",
            to: [downloadsPath, `${paths.bin}/exk8s-install-control-plane-prereqs.sh`],
        },
    ],
});
