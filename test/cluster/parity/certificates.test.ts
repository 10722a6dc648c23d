import { describe, expect, test } from "@jest/globals";

import { knownCertificates, knownKeys } from "./known-certificates";
import { bothNodes } from "./support/both-nodes";
import { certificateFacts, certificateIn, keyKind } from "./support/certificate";
import { differencesOf, withoutReasons } from "./support/differences";
import { filePairs, kubeadmOnly, oursOnly } from "./support/file-pairs";
import { userKubeconfig } from "./support/our-node";
import { fileAt, type Files } from "./support/scenario";

/*
 * The certificates of a node against those that kubeadm issues for it: who, from whom, for what, under
 * which names. Ours are issued by the component with our stand-in of the tls plugin.
 */

const nodes = bothNodes();

const authorityFiles = ["ca.crt", "front-proxy-ca.crt", "etcd/ca.crt"].map(
    (file) => `/etc/kubernetes/pki/${file}`,
);
const isCertificate = (file: string) => /\.(crt|conf)$/.test(file);
const ourFile = (file: string) => fileAt(nodes.ours, filePairs[file] ?? file);

function factsOf(files: Files, path: string, authorityAt: (file: string) => string) {
    const pem = certificateIn(fileAt(files, path));
    if (pem === undefined) {
        throw new Error(`${path} holds no certificate`);
    }
    const authorities = authorityFiles.map((file) => [file, authorityAt(file)]);
    return certificateFacts(pem, Object.fromEntries(authorities) as Files);
}

test("every file of kubeadm's has its counterpart or a reason, and so has every one of ours", () => {
    const identities = (files: Files, folders: RegExp) =>
        Object.keys(files)
            .filter((path) => folders.test(path))
            .sort();
    const expected = (...tables: readonly string[][]) => [...new Set(tables.flat())].sort();
    expect(identities(nodes.kubeadm, /^\/etc\/kubernetes\/(pki\/|[a-z-]+\.conf$)/)).toEqual(
        expected(Object.keys(filePairs), Object.keys(kubeadmOnly)),
    );
    expect([
        userKubeconfig,
        ...identities(nodes.ours, /^\/etc\/exk8s\/(pki|kubeconfig)\//),
    ]).toEqual(expected(Object.values(filePairs), Object.keys(oursOnly)));
});

describe.each(Object.keys(filePairs).filter(isCertificate))("%s", (file) => {
    test("says what kubeadm's says, but for the differences we mean", () => {
        const kubeadm = factsOf(nodes.kubeadm, file, (path) => fileAt(nodes.kubeadm, path));
        const ours = factsOf(nodes.ours, filePairs[file] ?? file, ourFile);
        const found = differencesOf(ours, kubeadm).map((one) => ({ file, ...one }));
        const known = knownCertificates.filter((one) => one.file === file);
        expect(found).toEqual(withoutReasons(known));
        expect(kubeadm["signedBy"]).toMatch(/^\/etc\/kubernetes\/pki\/\S+$/);
    });
});

test("every difference we mean is of a certificate that is compared", () => {
    const known = knownCertificates.map(({ file }) => file);
    expect(known.filter((file) => !isCertificate(file) || !(file in filePairs))).toEqual([]);
});

test("the keys of service-account tokens are kubeadm's, but for the differences we mean", () => {
    const found = ["sa.key", "sa.pub"].flatMap((name) => {
        const file = `/etc/kubernetes/pki/${name}`;
        const ours = { key: keyKind(ourFile(file)) };
        const kubeadm = { key: keyKind(fileAt(nodes.kubeadm, file)) };
        return differencesOf(ours, kubeadm).map((one) => ({ file, ...one }));
    });
    expect(found).toEqual(withoutReasons(knownKeys));
});
