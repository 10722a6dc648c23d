import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import { agentOperations, factorHeaders, firstContactPrefix } from "../../../contract/agent";
import { phases } from "../../../contract/phases";
import {
    compareSlots,
    isSlotOfRole,
    poolOf,
    poolPattern,
    roleOf,
    slotName,
    slotPattern,
    slotsOf,
} from "../../../contract/pools";
import { roleSpecs } from "../../../nodes";

const pool = fc.stringMatching(/^[a-z0-9]([a-z0-9-]{0,18}[a-z0-9])?$/);

describe("slots", () => {
    test("are named after their pool, from 1, and tell it again", () => {
        expect(slotsOf("cp", 3)).toEqual(["cp-1", "cp-2", "cp-3"]);
        fc.assert(
            fc.property(pool, fc.integer({ min: 1, max: 99_999 }), (name, n) => {
                expect(name).toMatch(new RegExp(poolPattern));
                const slot = slotName(name, n);
                expect(slot).toMatch(new RegExp(slotPattern));
                expect(poolOf(slot)).toBe(name);
                expect(isSlotOfRole(slot, roleOf(name))).toBe(true);
            }),
        );
    });

    test("of the pool cp are control planes, all others workers", () => {
        expect([roleOf("cp"), roleOf("cp-2"), roleOf("web")]).toEqual([
            "control-plane",
            "worker",
            "worker",
        ]);
        expect(isSlotOfRole("cp-2-1", "worker")).toBe(true);
        expect(isSlotOfRole("cp-2", "worker")).toBe(false);
    });

    test.each(["cp", "cp-0", "cp-01", "-1", "cp-1-", "Cp-1", "cp-100000"])(
        "%s is not one",
        (text) => {
            expect(isSlotOfRole(text, "control-plane") || isSlotOfRole(text, "worker")).toBe(false);
        },
    );

    test("are ordered as people count, control planes first", () => {
        const slots = ["web-2", "a-1", "cp-10", "web-10", "cp-2", "a-2-1"];
        expect(slots.sort(compareSlots)).toEqual([
            "cp-2",
            "cp-10",
            "a-1",
            "a-2-1",
            "web-2",
            "web-10",
        ]);
    });
});

const templates = join(__dirname, "../../../templates");
const textsOfNodes = readdirSync(templates, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".njk"))
    .map((name) => readFileSync(join(templates, name), "utf8"))
    .join("\n");

test("the scripts of nodes report phases of the contract, and all of them", () => {
    const reported = [
        ...textsOfNodes.matchAll(/^\s*exk8s_(?:phase|report|report_later) ([a-z-]+)/gm),
    ]
        .map(([, phase]) => phase!)
        .concat(Object.values(roleSpecs).flatMap(({ boot }) => [...boot]));
    expect([...new Set(reported)].sort()).toEqual([...phases].sort());
});

test("the scripts of nodes ask what agents may ask, and send the contract's headers", () => {
    const asked = [
        ...textsOfNodes.matchAll(/exk8s_agent_curl (GET|POST|PUT|DELETE) "?(\/[^\s"]+)/g),
    ].map(([, method, path = ""]) => `${method} ${path.replace(/\/leases\/.*/, "/leases/{name}")}`);
    const known = Object.values(agentOperations).map(({ method, path }) => `${method} ${path}`);
    expect([...new Set(asked)].sort()).toEqual(known.sort());
    expect(textsOfNodes).toContain(`\${BOOTSTRAP_BASE_URL}${firstContactPrefix}/`);
    for (const header of Object.values(factorHeaders)) {
        expect(textsOfNodes.toLowerCase()).toContain(`"${header}: %s`);
    }
});

/** What stands in the contract once, as the code of others would write it again. */
const onlyThere: Record<string, RegExp> = {
    "the names of nodes": /\.cluster-\$\{|cluster-\\d/,
    "the names of clusters": /exk8s-\$\{/,
    "the limit of user data": /userDataLimit =/,
    "the modes of verifiers": /"selfHosted" \| "excloud"|\["selfHosted", "excloud"\]/,
    "the phases of a boot": /"userdata",\s*"bundle",\s*"install"/,
    "the canonical text of a manifest": /\\t\$\{(?:entry\.)?sha256/,
    "an operator's path": /["'`]\/v1\/clusters/,
    "the headers of a first contact": /x-exk8s-slot-secret/i,
};

test.each(Object.entries(onlyThere))("%s stand in the contract only", (_, pattern) => {
    const root = join(__dirname, "../../..");
    const folders = ["components", "nodes", "provider", "templates", "cli", "bootstrap-server/src"];
    const files = [...folders, "local-cloud/src"].flatMap((folder) =>
        readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
            .filter((name) => name.endsWith(".ts"))
            .map((name) => join(folder, name)),
    );
    expect(files.length).toBeGreaterThan(150);
    const again = files.filter((file) => pattern.test(readFileSync(join(root, file), "utf8")));
    expect(again).toEqual([]);
    const contract = readdirSync(join(root, "contract")).filter((name) => name.endsWith(".ts"));
    const text = contract.map((name) => readFileSync(join(root, "contract", name), "utf8"));
    expect(text.some((one) => pattern.test(one))).toBe(true);
});
