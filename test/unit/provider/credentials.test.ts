import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";

import { lookUp, tokenOfCliConfig } from "../../../provider/credentials";

describe("a setting", () => {
    const config = (key: string) => (key === "excloud:apiKey" ? "from-config" : undefined);

    test("comes from the environment before the stack's configuration", () => {
        expect(lookUp("apiKey", config, { EXCLOUD_ACCESS_TOKEN: "second" })).toBe("second");
        expect(
            lookUp("apiKey", config, { EXCLOUD_API_KEY: "first", EXCLOUD_ACCESS_TOKEN: "second" }),
        ).toBe("first");
        expect(lookUp("apiKey", config, {})).toBe("from-config");
    });

    test("that is nowhere is asked for by every name it has", () => {
        expect(() => lookUp("bootstrapToken", () => undefined, {})).toThrow(
            "no operator's token of the bootstrap server was found. Next: set EXCLOUD_BOOTSTRAP_TOKEN, or `pulumi config set --secret excloud-k8s:bootstrapToken`",
        );
    });

    test("of the public API has its address", () => {
        expect(lookUp("dnsBaseUrl", () => undefined, {})).toBe("https://dns.excloud.in");
    });
});

describe("~/.exc/config", () => {
    const tokenIn = (text: string) => {
        const home = mkdtempSync(join(tmpdir(), "home-"));
        try {
            mkdirSync(join(home, ".exc"));
            writeFileSync(join(home, ".exc", "config"), text);
            return tokenOfCliConfig(home);
        } finally {
            rmSync(home, { recursive: true });
        }
    };
    const chosen = { default_acc: "71", default_org: "1834" };
    const orgs = { "1834": { access_token: "mine" }, "9": { access_token: "other" } };

    test.each([
        ["below accounts and orgs", { accounts: { "71": { orgs }, "8": { orgs: {} } } }],
        ["directly below the account", { "71": orgs }],
    ])("gives the token of the chosen organisation %s", (_, tree) => {
        expect(tokenIn(JSON.stringify({ ...chosen, ...tree }))).toBe("mine");
    });

    test("without a chosen organisation, or unreadable, gives none", () => {
        expect(tokenIn(JSON.stringify({ default_acc: "71", accounts: {} }))).toBeUndefined();
        expect(tokenIn("not json")).toBeUndefined();
    });
});
