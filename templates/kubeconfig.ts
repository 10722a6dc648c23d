import { renderTemplate } from "./engine";

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
