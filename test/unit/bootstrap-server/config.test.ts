import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { readConfig } from "../../../bootstrap-server/src/config";
import { settingsHelp, settingsTable } from "../../../bootstrap-server/src/setting-docs";
import { settings } from "../../../bootstrap-server/src/settings";

let folder: string;
beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "bootstrap-config-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function file(name: string, text: string): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, text);
    return path;
}

const flags = { listen: "[::1]:0", dataDir: "/data", host: ["a.example.org"] };
const required = { EXCLOUD_API_KEY: "key" };

describe("values", () => {
    test("come from environment and options, with defaults", () => {
        const config = readConfig(flags, {
            ...required,
            EXCLOUD_ORG_ID: "5",
            EXCLOUD_BOOTSTRAP_HOSTS: "b.example.org, 192.0.2.1",
            EXCLOUD_BOOTSTRAP_TRUSTED_PROXIES: "10.0.0.0/8, ::1",
            EXCLOUD_BOOTSTRAP_TOKEN: "",
        });
        expect(config).toEqual({
            listen: { host: "::1", port: 0 },
            dataDir: "/data",
            excloud: {
                iamBaseUrl: "https://iam.excloud.in",
                computeBaseUrl: "https://compute.excloud.in",
                apiKey: "key",
                orgId: 5,
            },
            mode: "selfHosted",
            operatorAuth: { mode: "tokens" },
            extraHosts: ["a.example.org"],
            trustedProxies: ["10.0.0.0/8", "::1"],
            logLevel: "info",
        });
    });

    test("come from a file, where neither option nor environment gives them", async () => {
        const key = Buffer.alloc(32, 7);
        const config = await file(
            "all.yaml",
            [
                "listen: 0.0.0.0:8443",
                "dataDir: /from/file",
                "hosts: [one.example.org, 192.0.2.1]",
                "orgId: 7",
                "logLevel: warn",
                `apiKeyFile: ${await file("api-key", "from-a-file\n")}`,
                `encryptionKeysFile: ${await file("keys", `${key.toString("base64")}\n`)}`,
                "operatorAuth: jwt",
                "jwtIssuer: https://issuer.example.org",
                "jwtAudience: bootstrap",
                "jwtJwksUrl: https://issuer.example.org/jwks",
                "jwtSubjects:",
                "  - repo:me/infra:ref:refs/heads/main",
            ].join("\n"),
        );
        const env = { EXCLOUD_BOOTSTRAP_LOG_LEVEL: "debug" };
        expect(readConfig({ config, dataDir: "/from/option" }, env)).toMatchObject({
            listen: { host: "0.0.0.0", port: 8443 },
            dataDir: "/from/option",
            extraHosts: ["one.example.org", "192.0.2.1"],
            excloud: { orgId: 7, apiKey: "from-a-file" },
            logLevel: "debug",
            encryptionKeys: [key],
            operatorAuth: {
                mode: "jwt",
                issuer: "https://issuer.example.org",
                subjects: ["repo:me/infra:ref:refs/heads/main"],
            },
        });
    });

    test("of secrets come from files that the environment names", async () => {
        const EXCLOUD_API_KEY_FILE = await file("key", "secret-key\n");
        expect(readConfig(flags, { EXCLOUD_API_KEY_FILE }).excloud.apiKey).toBe("secret-key");
        const gone = { EXCLOUD_API_KEY_FILE: join(folder, "gone") };
        expect(() => readConfig(flags, gone)).toThrow(/EXCLOUD_API_KEY_FILE: .*gone/);
    });
});

describe("problems", () => {
    const problemsOf = (...args: Parameters<typeof readConfig>): string => {
        try {
            readConfig(...args);
        } catch (error) {
            return (error as Error).message;
        }
        return "";
    };

    test("are named all at once, without secrets", () => {
        const bad = {
            EXCLOUD_ORG_ID: "five",
            EXCLOUD_BOOTSTRAP_MODE: "excloud",
            EXCLOUD_BOOTSTRAP_TRUSTED_PROXIES: "anyone, 10.0.0.0/33, ::/129",
            EXCLOUD_BOOTSTRAP_ENCRYPTION_KEYS: "c2hvcnQ=",
            EXCLOUD_BOOTSTRAP_TOKEN: "short",
            EXCLOUD_BOOTSTRAP_LOG_LEVEL: "loud",
        };
        const problems = problemsOf({ ...flags, listen: "nowhere" }, bad);
        const missing = ["EXCLOUD_API_KEY", "DATABASE_URL", "--listen"];
        for (const name of [...Object.keys(bad), ...missing]) {
            expect(problems).toContain(name);
        }
        for (const proxy of ["anyone", "10.0.0.0/33", "::/129"]) {
            expect(problems).toContain(`"${proxy}"`);
        }
        expect(problems).not.toMatch(/c2hvcnQ=|short"/);
    });

    test("of a file name the file", async () => {
        const config = await file(
            "bad.yaml",
            "logLevel: loud\ndatadir: /x\norgIdFile: /y\nhosts: {}",
        );
        const problems = problemsOf({ config }, required);
        for (const part of ["loud", "datadir", "orgIdFile", "hosts of"]) {
            expect(problems).toContain(part);
        }
        expect(problems.match(new RegExp(config, "g"))).toHaveLength(4);
        const secret = await file("broken.yaml", "apiKey: very-secret\n  x: : y\n");
        expect(problemsOf({ config: secret }, required)).toContain("line 1");
        expect(problemsOf({ config: secret }, required)).not.toContain("very-secret");
        expect(problemsOf({ config: await file("list.yaml", "- 1") }, required)).toContain(
            "no map",
        );
        expect(problemsOf({ config: join(folder, "none.yaml") }, required)).toContain("none.yaml");
    });

    test.each([
        ["jwt", {}, "EXCLOUD_BOOTSTRAP_JWT_SUBJECTS"],
        ["jwt", { EXCLOUD_BOOTSTRAP_TOKEN: "t".repeat(40) }, "takes no EXCLOUD_BOOTSTRAP_TOKEN"],
        [
            "jwt",
            { EXCLOUD_BOOTSTRAP_JWT_JWKS_URL: "http://issuer.example.org/" },
            "use an https URL",
        ],
        ["static", {}, "needs EXCLOUD_BOOTSTRAP_TOKEN"],
        ["static", { EXCLOUD_BOOTSTRAP_TOKEN: "t".repeat(40) }, "listen there"],
    ])("operators by %s with %j: %s", (mode, more, problem) => {
        const env = { ...required, EXCLOUD_BOOTSTRAP_OPERATOR_AUTH: mode, ...more };
        expect(problemsOf({ listen: "0.0.0.0:0" }, env)).toContain(problem);
    });

    test("a static token is for this machine", () => {
        const token = "t".repeat(40);
        const env = {
            ...required,
            EXCLOUD_BOOTSTRAP_OPERATOR_AUTH: "static",
            EXCLOUD_BOOTSTRAP_TOKEN: token,
        };
        for (const host of ["127.0.0.1", "[::1]", "localhost", "127.9.9.9"]) {
            const config = readConfig({ listen: `${host}:0` }, env);
            expect(config.operatorAuth).toEqual({ mode: "static", token });
            expect(config.operatorToken).toBeUndefined();
        }
    });
});

describe("documentation", () => {
    /** A table of Markdown without its alignment, which the formatter adds. */
    const bare = (table: string) => table.trim().replace(/ +/g, " ").replace(/-{3,}/g, "---");

    test("the README has the table of settings", async () => {
        const path = join(__dirname, "../../../bootstrap-server/README.md");
        const readme = await readFile(path, "utf8");
        const marks = /(<!-- settings:.*-->\n)([^]*)(<!-- end of settings -->)/;
        if (process.env["UPDATE_GOLDEN"]) {
            await writeFile(path, readme.replace(marks, `$1\n${settingsTable()}\n\n$3`));
            throw new Error(`${path} written: format it and run again without UPDATE_GOLDEN`);
        }
        expect(bare(marks.exec(readme)?.[2] ?? "")).toBe(bare(settingsTable()));
    });

    test("the help names every setting", () => {
        for (const [key, { environment }] of Object.entries(settings)) {
            expect(settingsHelp()).toMatch(new RegExp(`^  ${key} +${environment}$`, "m"));
        }
    });
});
