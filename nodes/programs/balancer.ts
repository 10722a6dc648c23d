import { pem } from "../certificates";
import { fixed, script, unit, unitPath } from "../file";
import { nodeEnvPath, paths, runtimeFiles } from "../paths";
import { program } from "../program";

const config = `${paths.config}/haproxy.cfg`;

/** The node's own HAProxy in front of all API servers. */
export const balancer = program({
    name: "balancer",
    files: [
        fixed(config, "balancer/haproxy.cfg"),
        script("balancer", "exk8s-balancer.sh"),
        unit("balancer", "exk8s-balancer.service"),
    ],
    units: ["exk8s-balancer"],
    reactions: [
        {
            action: "balancer",
            to: [config, `${paths.bin}/exk8s-balancer.sh`, nodeEnvPath, runtimeFiles.peers],
        },
        {
            action: "restart:exk8s-balancer",
            to: [unitPath("exk8s-balancer.service"), pem.authority("cluster-ca")],
        },
    ],
});
