import { fixed } from "../file";
import { paths } from "../paths";
import { program } from "../program";

const sysctl = "/etc/sysctl.d/90-exk8s.conf";
const modules = "/etc/modules-load.d/exk8s.conf";

/** What the machine itself is told: units of systemd, kernel modules and parameters. */
export const machine = program({
    name: "machine",
    files: [fixed(sysctl, "machine/sysctl.conf"), fixed(modules, "machine/modules.conf")],
    reactions: [
        { action: "daemon-reload", to: [`${paths.systemd}/*`] },
        { action: "restart:systemd-modules-load", to: [modules] },
        { action: "restart:systemd-sysctl", to: [sysctl] },
    ],
});
