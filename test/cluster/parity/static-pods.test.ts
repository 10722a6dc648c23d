import { describe, expect, test } from "@jest/globals";

import { knownFields, knownMounts } from "./known-pods";
import { bothNodes } from "./support/both-nodes";
import { differencesOf, withoutReasons } from "./support/differences";
import { filePairs } from "./support/file-pairs";
import { podFlags } from "./support/flags";
import { type Mount, mountsOf, podFacts, staticPod } from "./support/pod";

/*
 * The static pods against kubeadm's: every field, probes, priority, requests and security among them,
 * and what of the host a program can read.
 */

const nodes = bothNodes();
const programs = ["kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;
const paths = (mounts: readonly Mount[]) => mounts.map(({ path }) => path).sort();

describe.each(programs)("%s", (program) => {
    test("has kubeadm's fields and values, but for the differences we mean", () => {
        const kubeadm = podFacts(staticPod(nodes.kubeadm, program));
        const found = differencesOf(podFacts(staticPod(nodes.ours, program)), kubeadm);
        const known = knownFields.filter((field) => field.program === program);
        expect(found.map((difference) => ({ program, ...difference }))).toEqual(
            withoutReasons(known),
        );
        expect(kubeadm).toMatchObject({
            "spec.priorityClassName": "system-node-critical",
            "spec.securityContext.seccompProfile.type": "RuntimeDefault",
        });
    });

    test("sees the single files that its flags name, to read, and no other secret", () => {
        const isOurs = (path: string) => path.startsWith("/etc/exk8s/");
        const mounts = mountsOf(staticPod(nodes.ours, program)).filter(({ path }) => isOurs(path));
        const named = Object.values(podFlags(nodes.ours, program)).filter(isOurs);
        expect(paths(mounts)).toEqual([...new Set(named)].sort());
        for (const mount of mounts) {
            expect(mount).toEqual({ path: mount.path, type: "File", writable: false });
            expect(nodes.ours).toHaveProperty([mount.path]);
        }
    });

    test("sees of the host what kubeadm's does, but for what we leave out", () => {
        const isKept = ({ path }: Mount) => !(path in filePairs) && !(path in knownMounts);
        const kubeadm = mountsOf(staticPod(nodes.kubeadm, program)).filter(isKept);
        const ours = mountsOf(staticPod(nodes.ours, program));
        const byPath = (a: Mount, b: Mount) => (a.path < b.path ? -1 : 1);
        expect(ours.filter(({ type }) => type !== "File").sort(byPath)).toEqual(
            kubeadm.sort(byPath),
        );
    });
});

test("what we mean to differ in is of a compared program, and what we leave out is there", () => {
    expect(programs).toEqual(expect.arrayContaining(knownFields.map(({ program }) => program)));
    const seen = programs.flatMap((program) => paths(mountsOf(staticPod(nodes.kubeadm, program))));
    expect(seen).toEqual(expect.arrayContaining(Object.keys(knownMounts)));
});
