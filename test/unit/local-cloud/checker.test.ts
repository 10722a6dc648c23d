import { X509Certificate } from "node:crypto";

import { beforeAll, describe, expect, test } from "@jest/globals";

import {
    authorities,
    type ExpectedCertificate,
    expectedCertificates,
} from "../../../local-cloud/src/nodes/check/certificates";
import { checkBundle, checks } from "../../../local-cloud/src/nodes/check/index";
import {
    type Authorities,
    type Draft,
    goodDraft,
    kubeconfig,
    makeAuthorities,
    put,
    seal,
    wishOf,
} from "./support/bundle";
import { issue, issueWithNegativeSerial, makeAuthority, type Wish } from "./support/pki";

const address = "127.64.9.11";
const pki = "/etc/exk8s/pki";
const pods = "/etc/kubernetes/manifests";
const hour = 3_600_000;

let ca: Authorities;
let good: Draft;

beforeAll(async () => {
    ca = await makeAuthorities();
    good = await goodDraft(ca, { clusterId: 42, number: 1, address });
});

/** One way to break a bundle: which check must find it, and which others see it too. */
interface Break {
    readonly check: string;
    readonly how: string;
    readonly also?: readonly string[];
    readonly apply: (draft: Draft) => void | Promise<void>;
    /** What is done after the hashes were computed, for breaks of the hashes themselves. */
    readonly afterSeal?: (bundle: Draft["bundle"]) => void;
}

const edit =
    (file: string, from: string | RegExp, to: string) =>
    ({ bundle }: Draft): void => {
        const before = bundle.files[file] ?? "";
        const after = before.replace(from, to);
        if (after === before) {
            throw new Error(`${file}: nothing to edit`);
        }
        bundle.files[file] = after;
    };
const write =
    (file: string, content: string, mode = "0644") =>
    ({ bundle }: Draft): void => {
        bundle.files[file] = content;
        bundle.attributes[file] = { mode, owner: "root:root" };
    };
const remove =
    (file: string) =>
    ({ bundle }: Draft): void => {
        delete bundle.files[file];
        delete bundle.attributes[file];
    };
const nothing = (): void => undefined;

/** Every rule of every certificate, broken by issuing a certificate that differs in one thing. */
function certificateBreaks(expected: ExpectedCertificate): Break[] {
    const { name } = expected;
    const reissue =
        (change: (wish: Wish) => Wish, rogue = false) =>
        async (draft: Draft): Promise<void> => {
            const own = ca[expected.authority];
            const issuer = rogue ? await makeAuthority(own.x509.subject.replace("CN=", "")) : own;
            put(draft, expected, await issue(issuer, change(wishOf(draft, expected))), ca);
        };
    const of = (rule: string, how: string, apply: Break["apply"], also?: string[]): Break => ({
        check: `certificate ${name}: ${rule}`,
        how,
        apply,
        ...(also === undefined ? {} : { also }),
    });
    const keyUsers = ["key-pair", "kubelet-configuration"];
    return [
        of(
            "present",
            "no certificate",
            (draft) => {
                put(draft, expected, { certificate: "nothing", key: "nothing" }, ca);
            },
            keyUsers,
        ),
        of(
            "chain",
            "a CA of the same name with another key",
            reissue((wish) => wish, true),
        ),
        of(
            "validity",
            "expired",
            reissue((wish) => ({ ...wish, notAfter: new Date(Date.now() - hour / 2) })),
        ),
        of(
            "validity",
            "not valid yet",
            reissue((wish) => ({ ...wish, notBefore: new Date(Date.now() + hour) })),
        ),
        of("serial", "negative", async (draft) => {
            const authority = ca[expected.authority];
            const issued = await issueWithNegativeSerial(authority, wishOf(draft, expected));
            put(draft, expected, issued, ca);
        }),
        of(
            "key",
            "the key of another certificate",
            async (draft) => {
                const wish = wishOf(draft, expected);
                const { certificate } = await issue(ca[expected.authority], wish);
                const { key } = await issue(ca[expected.authority], wish);
                put(draft, expected, { certificate, key }, ca);
            },
            keyUsers,
        ),
        of(
            "usages",
            "the other usage",
            reissue((wish) => ({
                ...wish,
                usages: wish.usages?.join() === "server" ? ["client"] : ["server"],
            })),
        ),
        of(
            "usages",
            "no usage",
            reissue((wish) => ({ ...wish, usages: [] })),
        ),
        ...(expected.commonName === undefined
            ? []
            : [
                  of(
                      "common name",
                      "another name",
                      reissue((wish) => ({ ...wish, commonName: "somebody" })),
                  ),
              ]),
        ...(expected.organizations === undefined
            ? []
            : [
                  of(
                      "groups",
                      "another group",
                      reissue((wish) => ({ ...wish, organizations: ["people"] })),
                  ),
              ]),
        ...(expected.names?.({ bundle: good.bundle, address }) ?? []).map((missing) =>
            of(
                "names",
                `without ${missing}`,
                reissue((wish) => ({
                    ...wish,
                    names: wish.names?.filter((one) => one !== missing) ?? [],
                })),
            ),
        ),
    ];
}

/** Breaks of everything that is not one certificate. */
const otherBreaks = (): Break[] => [
    { check: "path", how: "relative", apply: write("etc/passwd", "x") },
    { check: "path", how: "climbing", apply: write("/etc/exk8s/../passwd", "x") },
    {
        check: "attributes",
        how: "no attributes",
        apply: ({ bundle }) => {
            delete bundle.attributes["/etc/exk8s/config/cluster.env"];
        },
    },
    {
        check: "attributes",
        how: "symbolic mode",
        apply: write("/etc/exk8s/config/more.env", "", "u+x"),
    },
    {
        check: "attributes",
        how: "mode of no file",
        apply: ({ bundle }) => {
            bundle.attributes["/etc/nowhere"] = { mode: "0644", owner: "root:root" };
        },
    },
    {
        check: "attributes",
        how: "owner without group",
        apply: ({ bundle }) => {
            bundle.attributes["/etc/exk8s/config/cluster.env"] = { mode: "0644", owner: "root" };
        },
    },
    {
        check: "generation",
        how: "a file changed after sealing",
        apply: nothing,
        afterSeal: (bundle) => {
            bundle.files["/etc/exk8s/config/cluster.env"] += "#\n";
        },
    },
    {
        check: "generation",
        how: "a mode changed after sealing",
        apply: nothing,
        afterSeal: (bundle) => {
            bundle.attributes["/etc/exk8s/config/cluster.env"] = {
                mode: "0640",
                owner: "root:root",
            };
        },
    },
    {
        check: "revision",
        how: "another revision",
        apply: nothing,
        afterSeal: (bundle) => {
            bundle.revision = "0".repeat(64);
        },
    },
    {
        check: "peers",
        how: "itself missing",
        apply: ({ bundle }) => {
            bundle.peers = [];
        },
    },
    {
        check: "peers",
        how: "own address of another",
        apply: ({ bundle }) => {
            bundle.peers = bundle.peers.map((peer) => ({ ...peer, address: "127.64.9.99" }));
        },
    },
    {
        check: "peers",
        how: "not sorted",
        apply: ({ bundle }) => {
            bundle.peers.push({ name: "a", address: "127.64.9.98", role: "control-plane" });
        },
    },
    {
        check: "peers",
        how: "shared address",
        apply: ({ bundle }) => {
            bundle.peers.push({ name: "z", address, role: "control-plane" });
        },
    },
    {
        check: "peers",
        how: "a worker among them",
        apply: ({ bundle }) => {
            bundle.peers.push({ name: "z", address: "127.64.9.98", role: "worker" });
        },
    },
    {
        check: "identity",
        how: "another cluster's id",
        apply: ({ bundle }) => {
            bundle.cluster_id = 43;
        },
    },
    {
        check: "identity",
        how: "another cluster's name",
        apply: ({ bundle }) => {
            bundle.cluster_name = "exk8s-5-2b";
        },
    },
    {
        check: "etcd-state",
        how: "none",
        apply: ({ bundle }) => {
            delete bundle.etcd;
        },
    },
    {
        check: "secret-mode",
        how: "readable key",
        apply: ({ bundle }) => {
            bundle.attributes[`${pki}/apiserver-key.pem`] = { mode: "0644", owner: "root:root" };
        },
    },
    {
        check: "secret-mode",
        how: "readable kubeconfig",
        apply: ({ bundle }) => {
            bundle.attributes["/etc/exk8s/kubeconfig/admin.kubeconfig"] = {
                mode: "0640",
                owner: "root:root",
            };
        },
    },
    {
        check: "world-writable",
        how: "0666",
        apply: write("/etc/exk8s/config/more.env", "", "0666"),
    },
    { check: "ca-key", how: "present", apply: write(`${pki}/ca-key.pem`, "secret", "0600") },
    {
        check: "worker-secret",
        how: "service-account key on a worker",
        apply: ({ bundle }) => {
            // All that a worker holds here is the CA and what it must not hold.
            const keep = [authorities.cluster, `${pki}/service-account-key.pem`];
            for (const file of Object.keys(bundle.files)) {
                if (!keep.includes(file)) {
                    remove(file)({ bundle, node: good.node });
                }
            }
            bundle.role = "worker";
            bundle.node_name = "worker-1.cluster-42.internal";
            delete bundle.etcd;
        },
    },
    {
        check: "required-file",
        how: "no kubelet unit",
        also: ["own-name"],
        apply: remove("/etc/systemd/system/kubelet.service"),
    },
    {
        check: "yaml",
        how: "bad addon",
        apply: write("/etc/exk8s/manifests/coredns.yaml", "a: [\n"),
    },
    { check: "json", how: "bad CNI", apply: write("/etc/cni/net.d/10-exk8s.conflist", "{,}") },
    {
        check: "unit",
        how: "no ExecStart",
        apply: write("/etc/systemd/system/a.service", "[Service]\nType=oneshot\n"),
    },
    {
        check: "unit",
        how: "relative ExecStart",
        apply: write("/etc/systemd/system/a.service", "[Service]\nExecStart=etcd\n"),
    },
    {
        check: "unit",
        how: "no section",
        apply: write(
            "/etc/systemd/system/a.service",
            "Type=simple\n[Service]\nExecStart=/bin/true\n",
        ),
    },
    {
        check: "unit",
        how: "unknown section",
        apply: write(
            "/etc/systemd/system/a.service",
            "[Servce]\nA=b\n[Service]\nExecStart=/bin/true\n",
        ),
    },
    {
        check: "unit",
        how: "not a line of a unit",
        apply: write("/etc/systemd/system/a.timer", "[Timer]\nevery minute\n"),
    },
    {
        check: "script",
        how: "not executable",
        apply: write("/usr/local/bin/exk8s-a.sh", "#!/bin/sh\n", "0644"),
    },
    {
        check: "script",
        how: "no interpreter",
        apply: write("/usr/local/bin/exk8s-a.sh", "echo\n", "0755"),
    },
    {
        check: "script",
        how: "CR",
        apply: write("/usr/local/bin/exk8s-a.sh", "#!/bin/sh\r\n", "0755"),
    },
    {
        check: "reference",
        how: "a unit runs a script that is not there",
        apply: write(
            "/etc/systemd/system/a.service",
            "[Service]\nExecStart=/usr/local/bin/exk8s-none.sh\n",
        ),
    },
    {
        check: "reference",
        how: "a pod mounts a file that is not there",
        apply: edit(`${pods}/kube-scheduler.yaml`, "scheduler.kubeconfig", "other.kubeconfig"),
    },
    {
        check: "static-pod",
        how: "no flags",
        apply: edit(`${pods}/kube-scheduler.yaml`, /- --kubeconfig.*\n/, ""),
    },
    {
        check: "static-pod",
        how: "a Deployment",
        apply: edit(`${pods}/kube-scheduler.yaml`, "kind: Pod", "kind: Deployment"),
    },
    {
        check: "static-pod",
        how: "another namespace",
        apply: edit(`${pods}/kube-scheduler.yaml`, "kube-system", "default"),
    },
    {
        check: "authority: present",
        how: "no etcd CA",
        also: ["reference", "etcd-trust", "trust"],
        apply: remove(authorities.etcd),
    },
    {
        check: "authority: validity",
        how: "expired CA",
        also: ["certificate", "kubeconfig"],
        apply: async ({ bundle }) => {
            const expired = await makeAuthority("front-proxy-ca", {
                notAfter: new Date(Date.now() - hour / 2),
            });
            bundle.files[authorities.frontProxy] = expired.certificate;
        },
    },
    {
        check: "authority: separate",
        how: "etcd trusts the cluster CA",
        also: ["certificate apiserver-etcd-client: chain", "certificate etcd-peer: chain"],
        apply: ({ bundle }) => {
            bundle.files[authorities.etcd] = ca.cluster.certificate;
        },
    },
    {
        check: "service-account",
        how: "another public key",
        apply: async ({ bundle }) => {
            const { publicKey } = new X509Certificate(ca.cluster.certificate);
            bundle.files[`${pki}/service-account.pem`] = publicKey
                .export({ type: "spki", format: "pem" })
                .toString();
            return Promise.resolve();
        },
    },
    ...["kubelet", "controller-manager", "scheduler", "kube-proxy", "admin"].flatMap(
        (name): Break[] => {
            const file = `/etc/exk8s/kubeconfig/${name}.kubeconfig`;
            return [
                {
                    check: `kubeconfig ${name}`,
                    how: "talks to another server",
                    apply: edit(file, /127\.0\.0\.1:\d+/, "10.0.0.1:6443"),
                },
                {
                    check: `kubeconfig ${name}`,
                    how: "trusts another CA",
                    apply: async (draft) => {
                        const expected = expectedCertificates.find((one) => one.name === name);
                        if (expected === undefined || !("kubeconfig" in expected.location)) {
                            throw new Error(name);
                        }
                        const user = await issue(ca.cluster, wishOf(draft, expected));
                        draft.bundle.files[file] = kubeconfig(
                            expected.location.server,
                            ca.etcd.certificate,
                            user,
                        );
                    },
                },
                {
                    check: `kubeconfig ${name}`,
                    how: "has no current context",
                    also: [`certificate ${name}: present`],
                    apply: edit(file, "current-context: default", "current-context: none"),
                },
            ];
        },
    ),
    {
        check: "trust",
        how: "client CA of etcd",
        apply: edit(
            `${pods}/kube-apiserver.yaml`,
            `--client-ca-file=${pki}/ca.pem`,
            `--client-ca-file=${pki}/etcd-ca.pem`,
        ),
    },
    {
        check: "trust",
        how: "kubelets not verified",
        apply: edit(`${pods}/kube-apiserver.yaml`, /.*--kubelet-certificate-authority.*\n/, ""),
    },
    {
        check: "etcd-trust",
        how: "peers of the cluster CA",
        apply: edit(
            "/etc/systemd/system/etcd.service",
            `peer-trusted-ca-file=${pki}/etcd-ca.pem`,
            `peer-trusted-ca-file=${pki}/ca.pem`,
        ),
    },
    {
        check: "etcd-trust",
        how: "no client certificates",
        apply: edit(
            "/etc/systemd/system/etcd.service",
            "--client-cert-auth=true",
            "--client-cert-auth=false",
        ),
    },
    {
        check: "key-pair",
        how: "key of another certificate named",
        apply: edit(
            `${pods}/kube-apiserver.yaml`,
            "tls-private-key-file=/etc/exk8s/pki/apiserver-key",
            "tls-private-key-file=/etc/exk8s/pki/etcd-peer-key",
        ),
    },
    {
        check: "aggregation",
        how: "no header flag",
        apply: edit(`${pods}/kube-apiserver.yaml`, /.*--requestheader-group-headers.*\n/, ""),
    },
    {
        check: "own-address",
        how: "advertises another",
        apply: edit(
            `${pods}/kube-apiserver.yaml`,
            `advertise-address=${address}`,
            "advertise-address=127.64.9.99",
        ),
    },
    {
        check: "own-address",
        how: "node.env of another",
        apply: edit("/etc/exk8s/config/node.env", address, "127.64.9.99"),
    },
    {
        check: "own-name",
        how: "registers as another",
        apply: edit("/etc/exk8s/config/node.env", "cp-1", "cp-2"),
    },
    {
        check: "kubelet-configuration",
        how: "anonymous",
        apply: edit("/var/lib/kubelet/config.yaml", "enabled: false", "enabled: true"),
    },
    {
        check: "kubelet-configuration",
        how: "serves with its client certificate's key",
        apply: edit(
            "/var/lib/kubelet/config.yaml",
            "tlsPrivateKeyFile: /etc/exk8s/pki/kubelet-server-key",
            "tlsPrivateKeyFile: /etc/exk8s/pki/etcd-peer-key",
        ),
    },
    {
        check: "kubelet-configuration",
        how: "other static pods",
        apply: edit("/var/lib/kubelet/config.yaml", "/etc/kubernetes/manifests", "/etc/pods"),
    },
];

async function findingsOf(one: Break) {
    const draft = structuredClone(good);
    await one.apply(draft);
    const bundle = seal(draft);
    one.afterSeal?.(bundle);
    return checkBundle(bundle, address);
}

const allBreaks = (): Break[] => [
    ...expectedCertificates.flatMap(certificateBreaks),
    ...otherBreaks(),
];

describe("the checker of bundles", () => {
    test("accepts a good bundle", () => {
        expect(checkBundle(seal(structuredClone(good)), address)).toEqual([]);
    });

    test("names are unique", () => {
        const names = checks.map((check) => check.name);
        expect(new Set(names).size).toBe(names.length);
    });

    test("finds each break, by the check that is for it and by no stranger", async () => {
        const wrong: string[] = [];
        for (const one of allBreaks()) {
            const findings = await findingsOf(one);
            const found = findings.map((finding) => finding.check);
            const strangers = found.filter(
                (name) =>
                    name !== one.check && !(one.also ?? []).some((other) => name.startsWith(other)),
            );
            if (!found.includes(one.check)) {
                wrong.push(`${one.check} (${one.how}): not found`);
            }
            if (strangers.length > 0) {
                wrong.push(`${one.check} (${one.how}): also ${strangers.join(", ")}`);
            }
            for (const { reason } of findings) {
                expect(reason).not.toMatch(/PRIVATE KEY/);
            }
        }
        expect(wrong).toEqual([]);
    });

    test("every check can fail", () => {
        const broken = new Set(allBreaks().map((one) => one.check));
        expect(checks.map((check) => check.name).filter((name) => !broken.has(name))).toEqual([]);
    });

    test("an expired CA is found although its certificates are good", async () => {
        const findings = await findingsOf({
            check: "",
            how: "",
            apply: async ({ bundle }) => {
                const expired = await makeAuthority("kubernetes", {
                    notAfter: new Date(Date.now() - hour / 2),
                });
                bundle.files[authorities.cluster] = expired.certificate;
            },
        });
        expect(findings.map((finding) => finding.check)).toContain("authority: validity");
    });
});
