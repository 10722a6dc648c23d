import { script, unit } from "../file";
import { program } from "../program";

/** Brings a node up at its first boot, phase by phase. */
export const bootstrap = program({
    name: "bootstrap",
    files: [
        script("bootstrap", "exk8s-bootstrap.sh"),
        unit("bootstrap", "exk8s-bootstrap.service"),
    ],
});
