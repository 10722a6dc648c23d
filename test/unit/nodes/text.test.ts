import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";
import { parseAllDocuments } from "yaml";

import { userDataLimit } from "../../../contract/user-data";
import {
    nodeFiles,
    nodeFilesFor,
    paths,
    renderUserData,
    type UserDataValues,
} from "../../../nodes";
import { filesOf, scenarios, valuesOf } from "./fixtures";

const userData = (caPem = "", more: Partial<UserDataValues> = {}) =>
    renderUserData({
        bootstrapUrl: "https://boot.test:8443",
        bootstrapCaPem: caPem,
        slotSecret: "s3cret",
        role: "control-plane",
        verifierMode: "selfHosted",
        ...more,
    });
const everything = Object.entries(scenarios).flatMap(([scenario, make]) =>
    Object.entries({ ...filesOf(make()), "/userdata.sh": userData() }).map(
        ([path, text]) => [`${scenario}:${path}`, text] as const,
    ),
);
const ending = (...ends: string[]) =>
    everything.filter(([name]) => ends.some((end) => name.endsWith(end)));

test("no file holds what a renderer leaves behind", () => {
    for (const [name, text] of everything) {
        const traces = /\{\{|\{%|&quot;|&amp;|&lt;|undefined|\r|\[object /.exec(text)?.[0];
        expect({ name, traces }).toEqual({ name, traces: undefined });
    }
});

test("every text ends with one line end", () => {
    for (const [name, text] of everything) {
        expect({ name, ends: text === "" || /[^\n]\n$/.test(text) }).toEqual({ name, ends: true });
    }
});

test("the shell's length operator survives rendering", () => {
    const source = readFileSync(
        join(__dirname, "../../../templates/installer/exk8s-install-control-plane-prereqs.sh.njk"),
        "utf8",
    );
    const operators = [...source.matchAll(/\$\{#[^}]+\}/g)].map(String);
    expect(operators.length).toBeGreaterThan(0);
    const rendered = filesOf(scenarios["single"]!())[
        "/usr/local/bin/exk8s-install-control-plane-prereqs.sh"
    ];
    for (const operator of operators) {
        expect(rendered).toContain(operator);
    }
});

describe("syntax", () => {
    test.each(ending(".sh"))("%s is a shell script", (_name, text) => {
        expect(spawnSync("bash", ["-n"], { input: text, encoding: "utf8" }).stderr).toBe("");
    });

    test("YAML parses", () => {
        const documents = ending(".yaml", ".kubeconfig");
        expect(documents.length).toBeGreaterThan(70);
        for (const [name, text] of documents) {
            for (const document of parseAllDocuments(text)) {
                expect({ name, errors: document.errors }).toEqual({ name, errors: [] });
                expect(document.get("kind") ?? document.get("k8sServiceHost")).toBeTruthy();
            }
        }
    });

    test("JSON parses", () => {
        for (const [, text] of ending(".conflist")) {
            expect(JSON.parse(text)).toHaveProperty("plugins");
        }
    });

    test("units have the sections of their kind, and every line is a setting", () => {
        for (const [name, text] of ending(".service", ".timer")) {
            const joined = text.replaceAll(/\\\n\s*/g, " ");
            const lines = joined.split("\n").filter((line) => line !== "" && !/^#/.test(line));
            const sections = lines.filter((line) => line.startsWith("["));
            const expected = name.endsWith(".timer") ? "[Timer]" : "[Service]";
            expect(sections.slice(0, 2)).toEqual(["[Unit]", expected]);
            const odd = lines.filter((line) => !/^(\[[A-Z][a-z]+\]|[A-Z][A-Za-z]+=.*)$/.test(line));
            expect({ name, odd }).toEqual({ name, odd: [] });
        }
    });

    test("environment files hold only plain assignments", () => {
        for (const [name, text] of ending(".env")) {
            const odd = text
                .split("\n")
                .filter((line) => !/^([A-Z_0-9]+='[^'"\\]*'|#.*|)$/.test(line));
            expect({ name, odd }).toEqual({ name, odd: [] });
        }
    });
});

describe("units", () => {
    const files = filesOf(scenarios["single"]!());
    const unit = (name: string) => files[`/etc/systemd/system/${name}`]!;

    test("the metadata guard is tried before the kubelet starts pods", () => {
        expect(unit("exk8s-imds-guard.service")).toMatch(/^Before=kubelet\.service$/m);
    });

    test("addons are never started by a boot with the files of the last day", () => {
        expect(unit("exk8s-addons.service")).not.toContain("[Install]");
    });
});

describe("the list of files", () => {
    test("names every path once, absolute and normal", () => {
        const all = nodeFiles.map((spec) => spec.path);
        expect(new Set(all).size).toBe(all.length);
        for (const path of all) {
            expect(path).toMatch(/^(\/[a-z0-9_][A-Za-z0-9._-]*)+$/);
        }
    });

    test("keeps private keys from everybody but root, and says so", () => {
        for (const spec of nodeFiles) {
            const holdsKey = spec.needs.some((need) => String(need).startsWith("key:"));
            expect(spec.secret).toBe(holdsKey);
            // As kubeadm: what kubelet runs as root is nobody else's to read.
            const isPrivate = holdsKey || spec.path.startsWith(paths.staticPods);
            expect(spec.mode).toBe(
                isPrivate ? "0600" : spec.path.includes("/local/bin/") ? "0755" : "0644",
            );
            expect(spec.owner).toBe("root:root");
        }
    });

    test("gives workers no control plane's identity", () => {
        const { settings } = valuesOf();
        const worker = (["role", "node"] as const).flatMap((scope) =>
            nodeFilesFor(settings, "worker", scope),
        );
        expect(worker.filter((spec) => spec.secret).map(({ path }) => path)).toEqual([
            "/etc/exk8s/kubeconfig/kubelet.kubeconfig",
        ]);
        const paths = worker.map((spec) => spec.path);
        expect(paths.filter((path) => /etcd|kube-|admin/.test(path))).toEqual([]);
    });
});

describe("user data", () => {
    test("says what it is for in lines a program can read", () => {
        const text = userData("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n");
        expect(text).toMatch(/^BOOTSTRAP_BASE_URL='https:\/\/boot\.test:8443'$/m);
        expect(text).toMatch(/^NODE_ROLE='control-plane'$/m);
        expect(text).toMatch(/^VERIFIER_MODE='selfHosted'$/m);
        expect(text).toMatch(/^SLOT_SECRET='s3cret'$/m);
        expect(text).toMatch(/^BOOTSTRAP_CA_PEM='-----BEGIN CERTIFICATE-----\nAA==\n/m);
        expect(text).toMatch(
            /^IMDS_BASE_URL="\$\{EXC_IMDS_BASE_URL:-http:\/\/imdsapi\.excloud\.in\}"$/m,
        );
    });

    test("holds no slot secret in mode excloud, whatever is given", () => {
        const text = userData("", { verifierMode: "excloud" });
        expect(text).toMatch(/^SLOT_SECRET=''$/m);
        expect(text).not.toContain("s3cret");
    });

    test("names a mirror of packages, and refuses a hostile one", () => {
        expect(userData()).toMatch(/^PACKAGE_MIRROR=''$/m);
        expect(userData("", { packageMirror: "http://mirror.test/debian" })).toMatch(
            /^PACKAGE_MIRROR='http:\/\/mirror\.test\/debian'$/m,
        );
        for (const packageMirror of ["http://m/ main\ndeb http://evil", "ftp://m", "$(id)"]) {
            expect(() => userData("", { packageMirror })).toThrow(/^packageMirror: /);
        }
    });

    test("fits the limit of clouds with a chain of two RSA certificates, and refuses more", () => {
        expect(Buffer.byteLength(userData("x".repeat(4000)))).toBeLessThan(userDataLimit);
        expect(() => userData("x".repeat(16_000))).toThrow(/over the limit of 16384/);
    });

    test("puts no secret on a command line", () => {
        for (const [name, text] of ending(".sh")) {
            const shown = text
                .split("\n")
                .filter((line) => /(curl|-H|--header)\b.*(TOKEN|SECRET|Bearer)/.test(line))
                .filter((line) => !/printf/.test(line));
            expect({ name, shown }).toEqual({ name, shown: [] });
        }
    });
});
