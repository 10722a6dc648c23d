import { expect, test } from "@jest/globals";
import { parse } from "yaml";

import { knownKubeletFields, knownKubeletFlags } from "./known-kubelet";
import { bothNodes } from "./support/both-nodes";
import { differencesOf, type Facts, leavesOf, withoutReasons } from "./support/differences";
import { inOurTerms } from "./support/file-pairs";
import { flagFacts, unitFlags } from "./support/flags";
import { fileAt, type Files } from "./support/scenario";
import { weakens } from "./weakening";

/*
 * The kubelet's configuration and flags against what `kubeadm init phase kubelet-start` writes. Not
 * compared: `resolvConf`, which either side finds out on the running machine.
 */

const nodes = bothNodes();

/** What the kubelet takes where a file says nothing, for fields that one side leaves out. */
const defaults: Facts = {
    address: "0.0.0.0",
    failSwapOn: "true",
    healthzPort: "10248",
    readOnlyPort: "0",
    serverTLSBootstrap: "false",
};

/** Flags that come from the unit of Kubernetes' packages, not from kubeadm itself. */
const packagedFlags: Facts = {
    "bootstrap-kubeconfig": "/etc/kubernetes/bootstrap-kubelet.conf",
    config: "/var/lib/kubelet/config.yaml",
    kubeconfig: "/etc/kubernetes/kubelet.conf",
};

function configuration(files: Files): Facts {
    return leavesOf(parse(fileAt(files, "/var/lib/kubelet/config.yaml")));
}

/** kubeadm writes a whole Go structure, in which a number or duration of zero is one not set. */
function kubeadmConfiguration(): Facts {
    const fields = Object.entries(configuration(nodes.kubeadm));
    return Object.fromEntries(
        fields
            .filter(([, value]) => value !== "0" && value !== "0s")
            .map(([name, value]) => [name, inOurTerms(value)]),
    );
}

test("the configuration is kubeadm's, but for the differences we mean", () => {
    const kubeadm = kubeadmConfiguration();
    const found = differencesOf(
        { ...defaults, ...configuration(nodes.ours) },
        { ...defaults, ...kubeadm },
    );
    expect(found).toEqual(withoutReasons(knownKubeletFields));
    expect(kubeadm).toMatchObject({ "authorization.mode": "Webhook", cgroupDriver: "systemd" });
});

test("the flags are kubeadm's, but for the differences we mean", () => {
    const written = fileAt(nodes.kubeadm, "/var/lib/kubelet/kubeadm-flags.env");
    const words = /^KUBELET_KUBEADM_ARGS="(.*)"\n$/.exec(written)?.[1]?.split(" ") ?? [];
    const kubeadm = Object.entries({ ...packagedFlags, ...flagFacts(words) });
    const found = differencesOf(
        unitFlags(nodes.ours, "kubelet"),
        Object.fromEntries(kubeadm.map(([name, value]) => [name, inOurTerms(value)])),
    );
    expect(found).toEqual(withoutReasons(knownKubeletFlags));
});

test("no difference weakens authentication, authorisation or TLS", () => {
    expect([...knownKubeletFields, ...knownKubeletFlags].filter(weakens)).toEqual([]);
});
