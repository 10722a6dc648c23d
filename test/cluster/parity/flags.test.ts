import { describe, expect, test } from "@jest/globals";

import {
    clusterSettings,
    commandLineOf,
    defaultVersions,
    type ProgramName,
    type Values,
} from "../../../nodes";
import { knownDifferences } from "./known-flags";
import { bothNodes } from "./support/both-nodes";
import { type Difference, differencesOf, type Facts, withoutReasons } from "./support/differences";
import { inOurTerms } from "./support/file-pairs";
import { flagFacts, podFlags, unitFlags } from "./support/flags";
import { kubeadmVersion } from "./support/kubeadm";
import { scenario } from "./support/scenario";
import { weakens } from "./weakening";

/*
 * The flags of the control plane's programs against those that the real kubeadm of the same version
 * writes for the same cluster. Not shown: that the programs work with them.
 */

const nodes = bothNodes();

const translated = (flags: Facts): Facts =>
    Object.fromEntries(Object.entries(flags).map(([name, value]) => [name, inOurTerms(value)]));

test("kubeadm is of the version that nodes install", async () => {
    expect(await kubeadmVersion()).toBe(defaultVersions.kubernetes);
});

/** The programs, and how ours are started; kubeadm has a pod for each. */
const compared: [ProgramName, typeof podFlags][] = [
    ["kube-apiserver", podFlags],
    ["kube-controller-manager", podFlags],
    ["kube-scheduler", podFlags],
    ["etcd", unitFlags],
];

describe.each(compared)("%s", (program, flagsOf) => {
    const known = knownDifferences.filter((difference) => difference.program === program);

    test("has kubeadm's flags and values, but for the differences we mean", () => {
        const ours = flagsOf(nodes.ours, program);
        const kubeadm = translated(podFlags(nodes.kubeadm, program));
        const found = differencesOf(ours, kubeadm).map(({ name, ...values }) => ({
            program,
            flag: name,
            ...values,
        }));
        expect(found).toEqual(withoutReasons(known));
        // Two empty lists of flags would be equal as well.
        expect(Object.keys(kubeadm).length).toBeGreaterThanOrEqual(5);
    });
});

test("without Cilium, nodes get their part of the pod network as kubeadm has it", () => {
    const { clusterName } = scenario;
    const values = { settings: clusterSettings({ cni: "none" }), clusterName } as Values;
    const ours = flagFacts(commandLineOf("kube-controller-manager", values));
    const kubeadm = translated(podFlags(nodes.kubeadm, "kube-controller-manager"));
    const found = differencesOf(ours, kubeadm).map(({ name }) => name);
    expect(found).toEqual([
        "cluster-signing-cert-file",
        "cluster-signing-key-file",
        "kube-api-burst",
        "kube-api-qps",
        // Its default, named because the settings promise a /24.
        "node-cidr-mask-size",
        "profiling",
    ]);
});

describe("the differences we mean", () => {
    test("are at most 15, each of a compared program, named once and with a reason", () => {
        const programs = new Set(compared.map(([program]) => program));
        expect(knownDifferences.filter(({ program }) => !programs.has(program))).toEqual([]);
        const names = knownDifferences.map(({ program, flag }) => `${program} ${flag}`);
        expect(names.length).toBeLessThanOrEqual(15);
        expect(new Set(names).size).toBe(names.length);
        for (const { flag, reason } of knownDifferences) {
            expect({ flag, isReason: reason.length > 20 }).toEqual({ flag, isReason: true });
        }
    });

    test("weaken neither authentication nor authorisation nor TLS", () => {
        const weak = knownDifferences.filter(({ flag, ...values }) =>
            weakens({ name: flag, ...values }),
        );
        expect(weak).toEqual([]);
    });
});

test.each<Difference>([
    { name: "anonymous-auth", ours: "true" },
    { name: "authorization-mode", ours: "AlwaysAllow", kubeadm: "Node,RBAC" },
    {
        name: "client-ca-file",
        ours: "/etc/exk8s/pki/etcd-ca.pem",
        kubeadm: "/etc/exk8s/pki/ca.pem",
    },
    { name: "client-cert-auth", kubeadm: "true" },
    { name: "cluster-signing-key-file", ours: "/a.key", kubeadm: "/b.key" },
    { name: "enable-admission-plugins", kubeadm: "NodeRestriction" },
    { name: "kubelet-certificate-authority", kubeadm: "/ca.pem" },
    { name: "peer-client-cert-auth", ours: "false", kubeadm: "true" },
    { name: "profiling", ours: "true" },
    { name: "requestheader-allowed-names", kubeadm: "front-proxy-client" },
    { name: "token-auth-file", ours: "/tokens.csv" },
    { name: "use-service-account-credentials", kubeadm: "true" },
    { name: "authentication.anonymous.enabled", ours: "true", kubeadm: "false" },
    { name: "a-flag-of-tomorrow", ours: "true" },
])("the rule takes --$name, ours $ours, kubeadm's $kubeadm, for weaker", (difference) => {
    expect(weakens(difference)).toBe(true);
});
