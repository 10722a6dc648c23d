import type { Difference, Reasoned } from "./support/differences";

/** A part of a certificate in which we differ from kubeadm. */
export interface CertificateDifference extends Difference, Reasoned {
    /** kubeadm's path of it. */
    readonly file: string;
}

const authorities = ["ca", "front-proxy-ca", "etcd/ca"] as const;

/** Every difference of certificates we mean. */
export const knownCertificates: readonly CertificateDifference[] = [
    ...authorities.flatMap((authority): CertificateDifference[] => [
        {
            file: `/etc/kubernetes/pki/${authority}.crt`,
            name: "names",
            ours: "",
            kubeadm: `dns:${{ ca: "kubernetes", "front-proxy-ca": "front-proxy-ca", "etcd/ca": "etcd-ca" }[authority]}`,
            reason: "an authority serves nothing, so it needs no name to serve under",
        },
        {
            file: `/etc/kubernetes/pki/${authority}.crt`,
            name: "usages",
            ours: "cRLSign digitalSignature keyCertSign",
            kubeadm: "digitalSignature keyCertSign",
            reason: "an authority may revoke what it signed",
        },
    ]),
];

/** Every difference of the service-account key pair we mean. */
export const knownKeys: readonly CertificateDifference[] = [];
