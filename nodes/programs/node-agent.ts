import { envLines } from "../../templates/shell";
import { file, fixed, script, unit, unitPath } from "../file";
import { paths } from "../paths";
import { program } from "../program";

/** Fetches and applies a node's files, and reports; with the scripts' library. */
export const nodeAgent = program({
    name: "node-agent",
    files: [
        fixed(`${paths.lib}/common.sh`, "library/common.sh"),
        fixed(`${paths.lib}/report.sh`, "library/report.sh"),
        fixed(`${paths.lib}/lease.sh`, "library/lease.sh"),
        file({
            path: `${paths.config}/bootstrap-server.env`,
            needs: ["settings"],
            when: ({ bootstrapServer }) => bootstrapServer !== undefined,
            render: ({ settings }) =>
                envLines({ BOOTSTRAP_BASE_URL: settings.bootstrapServer?.url ?? "" }),
        }),
        file({
            path: `${paths.config}/bootstrap-server-ca.pem`,
            needs: ["settings"],
            when: ({ bootstrapServer }) => bootstrapServer !== undefined,
            render: ({ settings }) => settings.bootstrapServer?.caPem ?? "",
        }),
        script("node-agent", "exk8s-node-agent.sh"),
        unit("node-agent", "exk8s-node-agent.service"),
        unit("node-agent", "exk8s-node-agent.timer"),
    ],
    reactions: [
        { action: "restart:exk8s-node-agent.timer", to: [unitPath("exk8s-node-agent.timer")] },
    ],
});
