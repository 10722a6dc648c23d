import { renderTemplate } from "../../templates/render";
import { file } from "../file";
import { paths } from "../paths";
import { program } from "../program";
import type { ClusterSettings } from "../values/settings";

const image = ({ versions }: ClusterSettings) =>
    `registry.k8s.io/coredns/coredns:${versions.coredns}`;

/** The cluster's DNS. */
export const coredns = program({
    name: "coredns",
    files: [
        file({
            path: `${paths.manifests}/coredns.yaml`,
            needs: ["settings"],
            render: ({ settings }) =>
                renderTemplate("coredns/manifest.yaml", { settings, image: image(settings) }),
        }),
    ],
    images: (settings) => [image(settings)],
});
