import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";

import {
    authorities,
    type AuthorityName,
    type ClusterCertificateName,
    clusterCertificates,
} from "../../nodes";
import { issue, type IssuePolicy, type KeyPair, makeAuthority } from "./issue";

/** An authority of the user's own, PEM. */
export interface CertificateAuthorityArgs {
    /** Its certificate. */
    certPem: pulumi.Input<string>;
    /** Its private key, for example `config.requireSecret("etcdCaKey")`. Kept as a secret. */
    keyPem: pulumi.Input<string>;
}

/** Authorities to use instead of making them. */
export interface CertificateAuthoritiesArgs {
    /** Signs the certificates of the API server and its clients. */
    cluster?: CertificateAuthorityArgs;
    /** Signs the certificates of etcd and its clients. */
    etcd?: CertificateAuthorityArgs;
    /** Signs the certificate by which the API server calls extension API servers. */
    frontProxy?: CertificateAuthorityArgs;
}

type Authority = Pick<KeyPair, "certPem" | "keyPem">;

/** A cluster's authorities, its service-account key pair, and the certificates that all nodes share. */
export class ClusterPki extends pulumi.ComponentResource {
    readonly authorities: Readonly<Record<AuthorityName, Authority>>;
    readonly serviceAccount: { publicKeyPem: pulumi.Output<string>; keyPem: pulumi.Output<string> };
    /** By the certificate's name. */
    readonly certificates: Readonly<Record<ClusterCertificateName, KeyPair>>;

    constructor(
        name: string,
        args: { policy: IssuePolicy; given: CertificateAuthoritiesArgs },
        options: pulumi.ComponentResourceOptions,
    ) {
        super("excloud-k8s:index:ClusterPki", name, {}, options);
        const child = { parent: this };

        this.authorities = mapByName(authorities, ({ name: authority, commonName, input }) => {
            const own = args.given[input];
            return own
                ? { certPem: pulumi.output(own.certPem), keyPem: pulumi.secret(own.keyPem) }
                : makeAuthority(
                      `${name}-${authority}`,
                      commonName,
                      args.policy.keyAlgorithm,
                      child,
                  );
        });
        const key = new tls.PrivateKey(
            `${name}-service-account`,
            { algorithm: "RSA", rsaBits: 2048 },
            child,
        );
        this.serviceAccount = { publicKeyPem: key.publicKeyPem, keyPem: key.privateKeyPem };
        this.certificates = mapByName(clusterCertificates, (certificate) =>
            issue(
                `${name}-${certificate.name}`,
                this.authorities[certificate.authority],
                args.policy,
                certificate,
                child,
            ),
        );
        this.registerOutputs({});
    }
}

function mapByName<T extends { readonly name: string }, V>(
    list: readonly T[],
    make: (item: T) => V,
): Record<T["name"], V> {
    return Object.fromEntries(list.map((item) => [item.name, make(item)])) as Record<T["name"], V>;
}
