// The three authorities of a cluster are yours. Here @pulumi/tls makes them; certificates and keys that
// you have already, as secret configuration, do as well. Each must be an authority of its own: whoever
// trusts one would otherwise believe what another has signed.
//
//   npm install && pulumi stack init prod
//   pulumi config set imageId 1        and the rest of Pulumi.yaml
//   pulumi up

import * as pulumi from "@pulumi/pulumi";
import * as tls from "@pulumi/tls";
import { ExcloudK8sCluster } from "excloud-k8s";

const config = new pulumi.Config();

function authority(name: string) {
    const key = new tls.PrivateKey(name, { algorithm: "ECDSA", ecdsaCurve: "P256" });
    const certificate = new tls.SelfSignedCert(name, {
        privateKeyPem: key.privateKeyPem,
        subject: { organization: "Example Inc", commonName: `Example Inc ${name}` },
        isCaCertificate: true,
        setSubjectKeyId: true,
        allowedUses: ["cert_signing", "crl_signing", "digital_signature"],
        validityPeriodHours: 5 * 365 * 24,
    });
    return { certPem: certificate.certPem, keyPem: key.privateKeyPem };
}

const authorities = {
    cluster: authority("cluster-authority"),
    etcd: authority("etcd-authority"),
    frontProxy: authority("front-proxy-authority"),
};

const cluster = new ExcloudK8sCluster("own", {
    controlPlaneImageId: config.requireNumber("imageId"),
    controlPlaneInstanceType: "t1a.medium",
    subnetId: config.requireNumber("subnetId"),
    bootstrap: {
        operatorUrl: config.require("bootstrapUrl"),
        caPem: config.require("bootstrapCa"),
    },
    certificates: { authorities },
});

export const clusterAuthority = authorities.cluster.certPem;
export const kubeconfig = cluster.kubeconfig;
