import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import * as path from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { type EngineEnvironment, engineEnvironment } from "../../../tools/engine/index";

const REPOSITORY = path.resolve(__dirname, "../../..");

let folder: string;
let engine: EngineEnvironment;

beforeAll(async () => {
    folder = mkdtempSync(path.join(tmpdir(), "engine-test-"));
    engine = await engineEnvironment({
        home: path.join(folder, "home"),
        backend: `file://${path.join(folder, "state")}`,
        passphrase: "not a secret",
    });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
    readonly code: number;
    readonly output: string;
}

/** A folder with Pulumi.yaml, as a user would have, and the command that runs in it. */
function program(name: string, source: string): { pulumi: (...args: string[]) => Promise<Ended> } {
    const directory = path.join(folder, name);
    mkdirSync(directory);
    symlinkSync(path.join(REPOSITORY, "node_modules"), path.join(directory, "node_modules"));
    writeFileSync(path.join(directory, "Pulumi.yaml"), `name: ${name}\nruntime: nodejs\n`);
    const dependencies = { "@pulumi/pulumi": "*", "@pulumi/tls": "*" };
    writeFileSync(
        path.join(directory, "package.json"),
        JSON.stringify({ name, main: "index.ts", dependencies }),
    );
    writeFileSync(path.join(directory, "index.ts"), source);
    const pulumi = (...args: string[]): Promise<Ended> =>
        new Promise((resolve) => {
            const options = { cwd: directory, env: engine.env };
            const all = [...args, "--non-interactive", "--color=never"];
            execFile(engine.pulumi, all, options, (error, stdout, stderr) => {
                const code = typeof error?.code === "number" ? error.code : error ? -1 : 0;
                resolve({ code, output: stdout + stderr });
            });
        });
    return { pulumi };
}

async function expectToEndWell(running: Promise<Ended>): Promise<string> {
    const { code, output } = await running;
    if (code !== 0) {
        throw new Error(output);
    }
    return output;
}

describe("a program in a folder", () => {
    test("runs with its configuration, prints, and gives outputs", async () => {
        const { pulumi } = program(
            "greeting",
            `import * as pulumi from "@pulumi/pulumi";
             const config = new pulumi.Config();
             console.log(\`dry run \${pulumi.runtime.isDryRun()} in \${pulumi.getStack()}\`);
             export const greeting = \`hello \${config.require("name")}\`;
             export const hidden = config.requireSecret("word").apply((word) => word.length);`,
        );
        await expectToEndWell(pulumi("stack", "init", "dev"));
        await expectToEndWell(pulumi("config", "set", "name", "world"));
        await expectToEndWell(pulumi("config", "set", "--secret", "word", "sesame"));
        const output = await expectToEndWell(pulumi("up", "--yes", "--skip-preview"));
        expect(output).toContain("dry run false in dev");
        expect(output).not.toContain("sesame");
        expect(JSON.parse(await expectToEndWell(pulumi("stack", "output", "--json")))).toEqual({
            greeting: "hello world",
            hidden: "[secret]",
        });
        expect(await expectToEndWell(pulumi("preview"))).toContain("dry run true in dev");
        const about = await expectToEndWell(pulumi("about"));
        expect(about).toContain(process.version);
    });

    test("that throws fails once, with its message", async () => {
        const { pulumi } = program("thrower", `throw new Error("the reason");`);
        await expectToEndWell(pulumi("stack", "init", "dev"));
        const { code, output } = await pulumi("up", "--yes", "--skip-preview");
        expect(code).not.toBe(0);
        expect(output.match(/Error: the reason/g)).toHaveLength(1);
        expect(output).not.toContain("exited with code");
    });

    test("that ends itself fails with its exit code", async () => {
        const { pulumi } = program("leaver", `process.exit(3);`);
        await expectToEndWell(pulumi("stack", "init", "dev"));
        const { code, output } = await pulumi("up", "--yes", "--skip-preview");
        expect(code).not.toBe(0);
        expect(output).toMatch(/exited with (code|non-zero exit code:) 3/);
    });
});

test("keys and certificates: made, unchanged, refreshed, renewed, secret", async () => {
    const { pulumi } = program(
        "certificates",
        `import * as pulumi from "@pulumi/pulumi";
         import * as tls from "@pulumi/tls";
         const earlyRenewalHours = new pulumi.Config().requireNumber("early");
         const algorithm = { algorithm: "ECDSA", ecdsaCurve: "P256" };
         const ca = new tls.PrivateKey("ca", algorithm);
         const root = new tls.SelfSignedCert("ca", {
             privateKeyPem: ca.privateKeyPem,
             isCaCertificate: true,
             validityPeriodHours: 1000,
             allowedUses: ["cert_signing"],
             subject: { commonName: "ca" },
         });
         for (let n = 1; n <= 6; n++) {
             const key = new tls.PrivateKey(\`leaf-\${n}\`, algorithm);
             const request = new tls.CertRequest(\`leaf-\${n}\`, {
                 privateKeyPem: key.privateKeyPem,
                 dnsNames: [\`leaf-\${n}.internal\`],
             });
             new tls.LocallySignedCert(\`leaf-\${n}\`, {
                 certRequestPem: request.certRequestPem,
                 caCertPem: root.certPem,
                 caPrivateKeyPem: ca.privateKeyPem,
                 validityPeriodHours: 100,
                 earlyRenewalHours,
                 allowedUses: ["server_auth"],
             });
         }`,
    );
    await expectToEndWell(pulumi("stack", "init", "dev"));
    await expectToEndWell(pulumi("config", "set", "early", "10"));
    const up = ["up", "--yes", "--skip-preview"];
    expect(await expectToEndWell(pulumi(...up))).toContain("+ 21 created");
    expect(await expectToEndWell(pulumi("preview", "--expect-no-changes"))).toContain(
        "21 unchanged",
    );
    await expectToEndWell(pulumi("refresh", "--yes", "--skip-preview", "--expect-no-changes"));

    const state = path.join(folder, "state", ".pulumi", "stacks", "certificates", "dev.json");
    expect(readFileSync(state, "utf8")).not.toContain("PRIVATE KEY");

    await expectToEndWell(pulumi("config", "set", "early", "20"));
    expect(await expectToEndWell(pulumi(...up))).toContain("~ 6 updated");
    await expectToEndWell(pulumi("config", "set", "early", "100"));
    const renewed = await expectToEndWell(pulumi(...up));
    expect(renewed).toContain("+-6 replaced");
    expect(renewed).toContain("15 unchanged");
    expect(await expectToEndWell(pulumi("destroy", "--yes", "--skip-preview"))).toContain(
        "- 21 deleted",
    );
});
