import { describe, expect, test } from "@jest/globals";

import {
    authorities,
    clusterCertificates,
    nodeCertificates,
    serviceAccountFiles,
} from "../../../nodes/certificates";

// The list of certificates is data; what stands below is written down a second time, by hand.

const certificates = [...clusterCertificates, ...nodeCertificates];
const nodeName = "cp-1.cluster-42.internal";
const node = {
    nodeName,
    privateIpv4: "10.0.1.5",
    privateIpv6: "fd00::5",
    publicIpv4: "203.0.113.5",
};
const cluster = {
    dnsName: "exk8s-5-2a.k8s.example",
    clusterDomain: "cluster.local",
    serviceClusterIp: "10.96.0.1",
    extraSans: ["api.example", "192.0.2.7"],
};

test("there are exactly three authorities", () => {
    expect(authorities.map(({ name, commonName, path }) => [name, commonName, path])).toEqual([
        ["cluster-ca", "kubernetes", "/etc/exk8s/pki/ca.pem"],
        ["etcd-ca", "etcd-ca", "/etc/exk8s/pki/etcd-ca.pem"],
        ["front-proxy-ca", "front-proxy-ca", "/etc/exk8s/pki/front-proxy-ca.pem"],
    ]);
});

describe("names and paths", () => {
    test("no name is used twice", () => {
        const names = [...authorities, ...certificates].map(({ name }) => name);
        expect(new Set(names).size).toBe(names.length);
    });

    test("no path is used twice", () => {
        const paths = [
            ...authorities.map(({ path }) => path),
            ...certificates.flatMap(({ files }) => (files ? [files.certificate, files.key] : [])),
            serviceAccountFiles.publicKey,
            serviceAccountFiles.key,
        ];
        expect(new Set(paths).size).toBe(paths.length);
        expect(paths.every((path) => path.startsWith("/etc/exk8s/pki/"))).toBe(true);
    });

    test("no authority's key has a path", () => {
        expect(JSON.stringify(authorities)).not.toMatch(/-key/);
    });

    test("every certificate says what it is for", () => {
        for (const { name, description } of [...authorities, ...certificates]) {
            expect([name, description.length > 10]).toEqual([name, true]);
        }
    });
});

test("who is who: authority, subject, usages, owner of the files", () => {
    const rows = certificates.map((certificate) => {
        const { name, authority, organization = "-", usages, files, scope } = certificate;
        const subject =
            certificate.scope === "node"
                ? certificate.commonName(nodeName)
                : certificate.commonName;
        return [
            scope,
            name,
            authority,
            subject,
            organization,
            usages.join("+"),
            files?.owner ?? "in a kubeconfig",
        ].join(" | ");
    });
    expect(rows).toEqual([
        "cluster | apiserver-kubelet-client | cluster-ca | kube-apiserver-kubelet-client | - | client | root:root",
        "cluster | apiserver-etcd-client | etcd-ca | kube-apiserver-etcd-client | - | client | root:root",
        "cluster | front-proxy-client | front-proxy-ca | front-proxy-client | - | client | root:root",
        "cluster | controller-manager | cluster-ca | system:kube-controller-manager | - | client | in a kubeconfig",
        "cluster | scheduler | cluster-ca | system:kube-scheduler | - | client | in a kubeconfig",
        "cluster | kube-proxy | cluster-ca | system:kube-proxy | - | client | in a kubeconfig",
        "cluster | admin | cluster-ca | exk8s-installer | system:masters | client | in a kubeconfig",
        "cluster | cluster-admin | cluster-ca | cluster-admin | exk8s:cluster-admins | client | in a kubeconfig",
        "node | apiserver | cluster-ca | kube-apiserver | - | server | root:root",
        `node | etcd-peer | etcd-ca | ${nodeName} | - | server+client | etcd:etcd`,
        `node | kubelet-server | cluster-ca | system:node:${nodeName} | system:nodes | server | root:root`,
        `node | kubelet | cluster-ca | system:node:${nodeName} | system:nodes | client | in a kubeconfig`,
    ]);
});

describe("subject alternative names", () => {
    const sansOf = (name: string) =>
        nodeCertificates
            .find((certificate) => certificate.name === name)
            ?.subjectAltNames?.(node, cluster);

    test("the API server has every name and address it is called by", () => {
        expect(sansOf("apiserver")).toEqual([
            "exk8s-5-2a.k8s.example",
            nodeName,
            "kubernetes",
            "kubernetes.default",
            "kubernetes.default.svc",
            "kubernetes.default.svc.cluster.local",
            "localhost",
            "127.0.0.1",
            "::1",
            "10.0.1.5",
            "fd00::5",
            "203.0.113.5",
            "10.96.0.1",
            "api.example",
            "192.0.2.7",
        ]);
    });

    test("etcd has its own name and addresses, not the API's", () => {
        expect(sansOf("etcd-peer")).toEqual([
            nodeName,
            "localhost",
            "127.0.0.1",
            "::1",
            "10.0.1.5",
        ]);
    });

    test("the kubelet has what the API server calls it by", () => {
        expect(sansOf("kubelet-server")).toEqual([nodeName, "10.0.1.5", "fd00::5"]);
    });

    test("exactly what serves has names", () => {
        for (const { name, usages, subjectAltNames } of nodeCertificates) {
            expect([name, subjectAltNames !== undefined]).toEqual([
                name,
                usages.includes("server"),
            ]);
        }
        expect(clusterCertificates.every(({ usages }) => usages.join() === "client")).toBe(true);
    });
});

describe("separation", () => {
    const signedBy = (authority: string) =>
        certificates.filter((one) => one.authority === authority).map(({ name }) => name);

    test("the etcd authority signs nothing of the API, and nothing else signs etcd's", () => {
        expect(signedBy("etcd-ca")).toEqual(["apiserver-etcd-client", "etcd-peer"]);
    });

    test("the front proxy's authority signs one client: whoever holds such a one may be anybody", () => {
        expect(signedBy("front-proxy-ca")).toEqual(["front-proxy-client"]);
    });

    test("one certificate is of system:masters, and it is not the user's", () => {
        const masters = certificates.filter(
            ({ organization }) => organization === "system:masters",
        );
        expect(masters.map(({ name }) => name)).toEqual(["admin"]);
    });

    test("only the kubelets' certificates are of system:nodes", () => {
        const nodes = certificates.filter(({ organization }) => organization === "system:nodes");
        expect(nodes.map(({ name, scope }) => `${scope} ${name}`)).toEqual([
            "node kubelet-server",
            "node kubelet",
        ]);
    });
});
