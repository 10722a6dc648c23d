import { renderTemplate } from "../templates/render";
import type { CertificateName } from "./certificates";
import { file, type NodeFile } from "./file";
import { paths } from "./paths";

/** What a kubeconfig says. */
export interface KubeconfigValues {
    clusterName: string;
    /** PEM of the CA that signs the API server's certificate. */
    caPem: string;
    /** URL of the API server. */
    server: string;
    userName: string;
    certPem: string;
    keyPem: string;
}

/** Renders a kubeconfig with embedded certificates. Equal values give equal bytes. */
export function renderKubeconfig(values: KubeconfigValues): string {
    return renderTemplate("kubeconfig", values);
}

/** Path of the kubeconfig of a certificate's holder. */
export const kubeconfigPath = (name: CertificateName): string =>
    `${paths.kubeconfigs}/${name}.kubeconfig`;

/** The kubeconfig of a certificate's holder, as a file of nodes. */
export function kubeconfigFile(
    name: CertificateName,
    userName: string,
    server: string,
    more: Partial<Pick<NodeFile, "scope">> = {},
): NodeFile {
    return file({
        path: kubeconfigPath(name),
        needs: ["clusterName", "cert:cluster-ca", `cert:${name}`, `key:${name}`],
        render: (values) =>
            renderKubeconfig({
                clusterName: values.clusterName,
                caPem: values["cert:cluster-ca"],
                server,
                userName,
                certPem: values[`cert:${name}`],
                keyPem: values[`key:${name}`],
            }),
        ...more,
    });
}
