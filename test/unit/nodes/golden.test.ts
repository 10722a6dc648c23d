import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import { expect, test } from "@jest/globals";

import {
    clusterSettings,
    renderBakeScript,
    renderBootstrapServerUserData,
    renderBuilderUserData,
    renderUserData,
} from "../../../nodes";
import { filesOf, scenarios } from "./fixtures";

/*
 * Every rendered file, compared byte for byte. UPDATE_GOLDEN=1 writes them anew; the test then fails
 * where CI is set, so that the switch cannot be left on. `single` holds all files; the other
 * scenarios hold those that differ from it.
 */
const root = join(__dirname, "golden");
const update = process.env["UPDATE_GOLDEN"] === "1";

function rendered(): Record<string, string> {
    const single = filesOf(scenarios["single"]!());
    const out: Record<string, string> = {
        "userdata.sh": renderUserData({
            bootstrapUrl: "https://boot.test:8443",
            bootstrapCaPem: "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
            slotSecret: "not-a-secret",
            role: "control-plane",
            verifierMode: "selfHosted",
        }),
        "bake-control-plane-image.sh": renderBakeScript(clusterSettings()),
        "builder-userdata.sh": renderBuilderUserData({
            authorizedKey: "ssh-ed25519 AAAA\n",
            hostKeyPem: "-----BEGIN OPENSSH KEY-----\nAA==\n-----END OPENSSH KEY-----\n",
            lifetime: 7200,
        }),
        "bootstrap-server-userdata.sh": renderBootstrapServerUserData({
            version: "0.1.0",
            caPem: "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
            caKeyPem: "-----BEGIN KEY-----\nAA==\n-----END KEY-----\n",
            operatorToken: "not-a-token",
            apiKey: "not-a-key",
            host: "",
            registry: "https://npm.test",
            computeBaseUrl: "https://compute.test",
            iamBaseUrl: "https://iam.test",
        }),
    };
    for (const [name, make] of Object.entries(scenarios)) {
        const files = filesOf(make());
        for (const [path, text] of Object.entries(files)) {
            if (name === "single" || single[path] !== text) {
                out[`${name}${path}`] = text;
            }
        }
        if (name !== "single") {
            const gone = Object.keys(single).filter((path) => !(path in files));
            out[`${name}/absent-files.txt`] = gone.map((path) => `${path}\n`).join("");
        }
    }
    return out;
}

function stored(): Record<string, string> {
    return Object.fromEntries(
        readdirSync(root, { recursive: true, withFileTypes: true })
            .filter((entry) => entry.isFile())
            .map((entry) => {
                const path = join(entry.parentPath, entry.name);
                return [relative(root, path), readFileSync(path, "utf8")];
            }),
    );
}

test("every rendered file is the golden one", () => {
    const now = rendered();
    if (update) {
        rmSync(root, { recursive: true, force: true });
        for (const [path, text] of Object.entries(now)) {
            mkdirSync(dirname(join(root, path)), { recursive: true });
            writeFileSync(join(root, path), text);
        }
        expect(process.env["CI"]).toBeUndefined();
    }
    const before = stored();
    expect(Object.keys(now).sort()).toEqual(Object.keys(before).sort());
    for (const [path, text] of Object.entries(now)) {
        expect({ path, text }).toEqual({ path, text: before[path] });
    }
});
