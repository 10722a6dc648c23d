import { spawnSync } from "node:child_process";

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { Address4 } from "ip-address";

import {
    clusterSettings,
    defaultVersions,
    installItems,
    nodeFiles,
    nthAddress,
    overlaps,
    renderKubeconfig,
    renderUserData,
} from "../../../nodes";
import { envLines, shellQuote } from "../../../templates/shell";
import { filesOf, valuesOf } from "./fixtures";

const network = fc
    .tuple(fc.nat({ max: 0xffffffff }), fc.integer({ min: 8, max: 27 }))
    .map(([address, prefix]) => {
        const base = (BigInt(address) >> BigInt(32 - prefix)) << BigInt(32 - prefix);
        return { base, prefix, text: `${Address4.fromBigInt(base).correctForm()}/${prefix}` };
    });

describe("networks", () => {
    test("the n-th address lies n after the base and inside", () => {
        fc.assert(
            fc.property(network, fc.constantFrom(1, 10), (one, n) => {
                const address = new Address4(nthAddress(one.text, n, "net"));
                expect(address.bigInt()).toBe(one.base + BigInt(n));
                expect(address.isInSubnet(new Address4(one.text))).toBe(true);
            }),
        );
    });

    test("two networks overlap exactly when one's base lies in the other", () => {
        fc.assert(
            fc.property(network, network, (a, b) => {
                const inside = (x: typeof a, y: typeof a) =>
                    x.base >= y.base && x.base < y.base + (1n << BigInt(32 - y.prefix));
                expect(overlaps(a.text, b.text)).toBe(inside(a, b) || inside(b, a));
                expect(overlaps(a.text, a.text)).toBe(true);
            }),
        );
    });

    test("what is no network is refused by its name", () => {
        for (const bad of ["10.0.0.0", "10.0.0.1/8", "fd00::/64", "10.0.0.0/33", "x/8", ""]) {
            expect(() => clusterSettings({ serviceCidr: bad })).toThrow(/serviceCidr: "/);
        }
        expect(() => clusterSettings({ serviceCidr: "10.0.0.0/29" })).toThrow(/too small/);
        expect(() => clusterSettings({ podCidr: "10.0.0.0/24" })).toThrow(/podCidr.*too small/);
    });

    test("overlapping networks are refused by both names", () => {
        expect(() => clusterSettings({ podCidr: "10.96.0.0/16" })).toThrow(
            /serviceCidr "10.96.0.0\/12" overlaps|overlaps serviceCidr "10.96.0.0\/12"/,
        );
    });
});

describe("settings", () => {
    test("have defaults, and derive the addresses of two Services", () => {
        expect(clusterSettings()).toMatchObject({
            minor: "1.35",
            serviceClusterIp: "10.96.0.1",
            dnsServiceIp: "10.96.0.10",
            cni: "cilium",
            serviceAccountIssuer: "https://kubernetes.default.svc.cluster.local",
        });
    });

    test("refuse a minor that is not supported and say which are", () => {
        expect(() => clusterSettings({ versions: { kubernetes: "v1.20.1" } })).toThrow(
            /kubernetesVersion: "v1.20.1".*1.34 or 1.35/,
        );
    });

    test("hostile texts are refused", () => {
        const hostile = ["$(id)", "`id`", "a b", "a'b", 'a"b', "a\nb", "a;b", "{{7*7}}"];
        for (const text of hostile) {
            expect(() => clusterSettings({ clusterDomain: text })).toThrow(/clusterDomain/);
            expect(() =>
                clusterSettings({ bootstrapServer: { url: `https://h/${text}`, caPem: "" } }),
            ).toThrow(/bootstrapServer.url/);
            expect(() => clusterSettings({ mirrors: { binaries: `https://${text}` } })).toThrow(
                /mirrors.binaries/,
            );
            expect(() => clusterSettings({ versions: { etcd: text } })).toThrow(/versions.etcd/);
        }
        expect(() => filesOf(valuesOf({}, { nodeName: "a'b" }))).toThrow(/NODE_NAME/);
        expect(() => filesOf(valuesOf({}, { privateIpv4: "1\n2" }))).toThrow(/NODE_IPV4/);
    });

    test("a bootstrap server that would read secrets in the clear is refused", () => {
        for (const url of ["http://boot.test:8443", "https://boot.test/", "boot.test"]) {
            expect(() => clusterSettings({ bootstrapServer: { url, caPem: "" } })).toThrow(
                /bootstrapServer.url: .* give an https:/,
            );
            expect(() =>
                renderUserData({
                    bootstrapUrl: url,
                    bootstrapCaPem: "",
                    slotSecret: "s",
                    role: "control-plane",
                    verifierMode: "selfHosted",
                }),
            ).toThrow(/bootstrapUrl: .* give an https:/);
        }
    });

    test("flags: a bad name, a line end or a removed flag is refused", () => {
        const render = (apiServerExtraArgs: Record<string, string>) =>
            filesOf(valuesOf({ apiServerExtraArgs }));
        expect(() => render({ "--v": "4" })).toThrow(/not a flag name/);
        expect(() => render({ v: "4\n- --x" })).toThrow(/line end/);
        expect(() => render({ "insecure-port": "8080" })).toThrow(/does not exist/);
    });
});

describe("quoting", () => {
    test("a shell reads any quoted text back", () => {
        fc.assert(
            fc.property(fc.string({ unit: "grapheme" }), (text) => {
                fc.pre(!text.includes("\0"));
                const { stdout } = spawnSync("bash", ["-c", `printf %s ${shellQuote(text)}`], {
                    encoding: "utf8",
                });
                expect(stdout).toBe(text);
            }),
            { numRuns: 30 },
        );
    });

    test("user data carries a hostile secret unharmed", () => {
        const slotSecret = `a'$(touch /nowhere)"\`id\`{{x}}`;
        const text = renderUserData({
            bootstrapUrl: "https://boot.test",
            bootstrapCaPem: "",
            slotSecret,
            role: "control-plane",
            verifierMode: "selfHosted",
        });
        const line = text.split("\n").find((one) => one.startsWith("SLOT_SECRET="))!;
        const { stdout } = spawnSync("bash", ["-c", `${line}\nprintf %s "$SLOT_SECRET"`], {
            encoding: "utf8",
        });
        expect(stdout).toBe(slotSecret);
        expect(() =>
            renderUserData({
                bootstrapUrl: "https://boot.test/$(id)",
                bootstrapCaPem: "",
                slotSecret,
                role: "worker",
                verifierMode: "excloud",
            }),
        ).toThrow(/bootstrapUrl/);
    });

    test("an environment file refuses what its two readers see differently", () => {
        expect(envLines({ A: "x y", B: 1 })).toBe("A='x y'\nB='1'\n");
        for (const bad of ["'", '"', "\\", "\n"]) {
            expect(() => envLines({ A: bad })).toThrow(/^A:/);
        }
    });

    test("a kubeconfig is stable and quotes a name that YAML would read otherwise", () => {
        const values = {
            clusterName: "123",
            caPem: "ca",
            server: "https://127.0.0.1:7443",
            userName: "system:kube-proxy",
            certPem: "cert",
            keyPem: "key",
        };
        expect(renderKubeconfig(values)).toBe(renderKubeconfig({ ...values }));
        expect(renderKubeconfig(values)).toContain('cluster: "123"');
    });
});

describe("a file's text", () => {
    test("depends only on the values it names", () => {
        const values = valuesOf();
        for (const spec of nodeFiles) {
            if (spec.when?.(values.settings) === false) {
                continue;
            }
            const text = spec.render(values);
            for (const need of Object.keys(values).filter(
                (name) => !spec.needs.includes(name as never),
            )) {
                expect(spec.render({ ...values, [need]: "changed" })).toBe(text);
            }
            for (const need of spec.needs) {
                const less: Record<string, unknown> = { ...values };
                delete less[need];
                expect(() => spec.render(less as never)).toThrow(String(need));
            }
        }
    });

    test("another own address changes a named few", () => {
        const before = filesOf(valuesOf());
        const after = filesOf(valuesOf({}, { privateIpv4: "10.9.9.9", publicIpv4: "203.0.113.9" }));
        expect(Object.keys(before).filter((path) => before[path] !== after[path])).toEqual([
            "/etc/exk8s/config/node.env",
            "/etc/kubernetes/manifests/kube-apiserver.yaml",
        ]);
    });

    test("of role scope needs no value of a node", () => {
        const own = ["nodeName", "privateIpv4", "privateIpv6", "publicIpv4", "cert:kubelet"];
        for (const spec of nodeFiles.filter((one) => one.scope === "role")) {
            expect(spec.needs.filter((need) => own.includes(need))).toEqual([]);
        }
    });
});

test("the installer's table names one file per program and leaves only ARCH open", () => {
    for (const item of installItems("control-plane", defaultVersions)) {
        expect(item.address).not.toMatch(/VERSION|NUMBER|https:/);
        expect(item.address).toContain("ARCH");
        expect(item.checksums).not.toMatch(/VERSION|NUMBER/);
        expect(Object.values(item).every((field) => field !== "")).toBe(true);
    }
});
