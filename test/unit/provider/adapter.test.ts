import { describe, expect, test } from "@jest/globals";
import * as fc from "fast-check";

import { contractNumber } from "../../../contract/number";
import { adapt, toPlainJson } from "../../../provider/adapter";
import { makeContext } from "../../../provider/context";
import { type Handler, UnfinishedError, unknownValue } from "../../../provider/handler";

interface Inputs {
    size: number;
    name: string;
    note: string;
    text?: string;
}

const handler: Handler<Inputs, { made: string }> = {
    changes: { size: "update", name: "replace", note: "ignore", text: "ignore" },
    writeOnly: ["text"],
    isUnfinished: ({ made }) => made === "half",
    create: ({ name }) => Promise.resolve({ id: name, outputs: { made: "yes" } }),
    read: (id) => Promise.resolve(id === "gone" ? undefined : { id, outputs: { made: "read" } }),
    update: (id) => Promise.resolve({ id, outputs: { made: "again" } }),
    delete: () => Promise.resolve(),
};
const inputs = { size: 1, name: "n", note: "a", text: "long", __provider: "code" };
const state = { size: 1, name: "n", note: "a", made: "yes", __provider: "code" };

describe("diff", () => {
    const provider = adapt(handler);
    const diff = (olds: object, news: object) =>
        provider.diff("n", { ...state, ...olds }, { ...inputs, ...news });

    test("equal inputs change nothing, whatever provider text, ignored and write-only inputs are", async () => {
        expect(await diff({}, { __provider: "other", note: "b", text: "c" })).toEqual({
            changes: false,
            replaces: [],
            deleteBeforeReplace: false,
        });
    });

    test("an input of each kind does what its table says", async () => {
        expect(await diff({}, { size: 2 })).toMatchObject({ changes: true, replaces: [] });
        expect(await diff({}, { name: "m" })).toEqual({
            changes: true,
            replaces: ["name"],
            deleteBeforeReplace: true,
        });
    });

    test("a value that is not known yet counts as changed", async () => {
        expect(await diff({}, { size: unknownValue })).toMatchObject({ changes: true });
    });

    test("an unfinished thing asks for an update without any change of input", async () => {
        expect(await diff({ made: "half" }, {})).toMatchObject({ changes: true, replaces: [] });
    });
});

describe("an input that states of an older release lack", () => {
    interface Newer extends Inputs {
        pool: string;
    }
    const seen: unknown[] = [];
    const newer: Handler<Newer, { made: string }> = {
        changes: { ...handler.changes, pool: "replace" },
        defaults: { pool: "cp" },
        create: ({ name }) => Promise.resolve({ id: name, outputs: { made: "yes" } }),
        update: (id) => Promise.resolve({ id, outputs: { made: "again" } }),
        read: (id, given) => {
            seen.push(given.pool);
            return Promise.resolve({ id, outputs: { made: "read" } });
        },
        delete: (_id, given) => {
            seen.push(given.pool);
            return Promise.resolve();
        },
    };
    const provider = adapt(newer);

    test("is compared with its default", async () => {
        const { changes } = await provider.diff("n", state, { ...inputs, pool: "cp" });
        expect(changes).toBe(false);
        const other = await provider.diff("n", state, { ...inputs, pool: "web" });
        expect(other.replaces).toEqual(["pool"]);
    });

    test("is there for every operation", async () => {
        await provider.read("n", state);
        await provider.delete("n", state);
        expect(seen).toEqual(["cp", "cp"]);
        expect((await provider.check(inputs, inputs)).inputs).toMatchObject({ pool: "cp" });
    });
});

describe("a bootstrap server", () => {
    interface AtServer {
        bootstrap: { operatorUrl: string };
        size: number;
        note: string;
    }
    const atServer: Handler<AtServer> = {
        putsAtServer: true,
        changes: { bootstrap: "update", size: "update", note: "ignore" },
        judge: (_, { note }) => (note === "replace it" ? { note: "replace" } : {}),
        create: () => Promise.resolve({ id: "1", outputs: {} }),
        read: (id) => Promise.resolve({ id, outputs: {} }),
        update: (id) => Promise.resolve({ id, outputs: {} }),
        delete: () => Promise.resolve(),
    };
    const asked: string[] = [];
    const providerWith = (contract: number | undefined) =>
        adapt(atServer, (config) => ({
            ...makeContext(config),
            contractOf: ({ operatorUrl }) => {
                asked.push(operatorUrl);
                return Promise.resolve(
                    contract === undefined ? undefined : { url: operatorUrl, number: contract },
                );
            },
        }));
    const news = { bootstrap: { operatorUrl: "https://b.example" }, size: 1, note: "a" };
    const failuresOf = async (contract: number | undefined, olds: object, more: object = {}) =>
        (await providerWith(contract).check({ ...olds }, { ...news, ...more })).failures;

    test("that is older is refused when something would be made or changed", async () => {
        const [failure] = await failuresOf(contractNumber - 1, {});
        expect(failure?.reason).toMatch(
            /server at https:\/\/b\.example is older than this program: it has contract 1, the program 2\. Next: upgrade the server first/,
        );
        expect(await failuresOf(contractNumber - 1, news, { size: 2 })).toHaveLength(1);
        // As the difference judges it, not only by the table.
        expect(await failuresOf(contractNumber - 1, news, { note: "replace it" })).toHaveLength(1);
    });

    test("is not asked by what puts nothing there", async () => {
        asked.length = 0;
        const { putsAtServer: _, ...looking } = atServer;
        const provider = adapt(looking, (config) => ({
            ...makeContext(config),
            contractOf: ({ operatorUrl }) => {
                asked.push(operatorUrl);
                return Promise.resolve({ url: operatorUrl, number: 1 });
            },
        }));
        expect((await provider.check({}, { ...news })).failures).toEqual([]);
        expect(asked).toEqual([]);
    });

    test("that is older is not even asked when nothing changes", async () => {
        asked.length = 0;
        expect(await failuresOf(contractNumber - 1, news)).toEqual([]);
        expect(await failuresOf(contractNumber - 1, news, { note: "b" })).toEqual([]);
        expect(asked).toEqual([]);
    });

    test.each([
        ["of the program's number", contractNumber, {}],
        ["that is newer", contractNumber + 1, {}],
        ["that does not answer", undefined, {}],
        ["whose URL is not known yet", 1, { bootstrap: { operatorUrl: unknownValue } }],
    ])("%s is not refused", async (_, contract, more) => {
        expect(await failuresOf(contract, {}, more)).toEqual([]);
    });
});

describe("create, read and update", () => {
    const provider = adapt(handler);

    test("outputs repeat the inputs but for write-only ones", async () => {
        const { id, outs } = await provider.create(inputs);
        expect(id).toBe("n");
        expect(outs).toEqual({ size: 1, name: "n", note: "a", made: "yes" });
    });

    test("update gives complete outputs: the engine merges nothing", async () => {
        const { outs } = await provider.update("n", state, { ...inputs, size: 5 });
        expect(outs).toEqual({ size: 5, name: "n", note: "a", made: "again" });
    });

    test("read gives {} only for what is gone", async () => {
        expect(await provider.read("gone", state)).toEqual({});
        expect(await provider.read("n", state)).toMatchObject({ id: "n", props: { made: "read" } });
    });
});

describe("errors", () => {
    const failing = (error: Error) =>
        adapt({
            ...handler,
            create: () => Promise.reject(error),
            delete: () => Promise.reject(error),
        });

    test("an id on a foreign error does not make a bogus resource", async () => {
        const foreign = Object.assign(new Error("no"), { id: "req-1", properties: {} });
        const thrown: unknown = await failing(foreign)
            .create(inputs)
            .catch((error: unknown) => error);
        expect(thrown).not.toHaveProperty("id");
        expect(thrown).toHaveProperty("message", "no");
    });

    test("no stack trace leaves the process", async () => {
        const thrown = (await failing(new Error("why"))
            .delete("n", state)
            .catch((error: unknown) => error)) as Error;
        expect(thrown.stack).not.toContain("at ");
    });

    test("an unfinished thing is kept with its inputs and the provider's text", async () => {
        const unfinished = new UnfinishedError("slow", { id: "7", outputs: { made: "half" } });
        const thrown = await failing(unfinished)
            .create(inputs)
            .catch((error: unknown) => error);
        expect(thrown).toMatchObject({
            id: "7",
            reasons: ["slow"],
            properties: { name: "n", made: "half", __provider: "code" },
        });
    });
});

describe("configure", () => {
    test("is synchronous, and may be called before any operation", () => {
        expect(adapt(handler).configure({ config: { get: () => undefined } })).toBeUndefined();
    });
});

describe("toPlainJson", () => {
    test("lets JSON through unchanged and drops undefined", () => {
        fc.assert(
            fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
                const clean = JSON.parse(JSON.stringify(value)) as object;
                if (losesDigits(clean)) {
                    expect(() => toPlainJson(clean)).toThrow("that is not JSON");
                } else {
                    expect(JSON.stringify(toPlainJson(clean))).toEqual(JSON.stringify(clean));
                }
            }),
        );
        expect(toPlainJson({ a: undefined, b: { c: undefined } })).toEqual({ b: {} });
    });

    test.each([
        ["a.b", { a: { b: new Date() } }],
        ["list[1]", { list: [1, 2n] }],
        ["n", { n: Number.NaN }],
        ["big", { big: 2 ** 60 }],
    ])("names %s when it is not JSON", (path, value) => {
        expect(() => toPlainJson(value)).toThrow(`output ${path} `);
    });
});

/** Whether a tree holds an integer that the engine's numbers cannot carry. */
function losesDigits(value: unknown): boolean {
    return typeof value === "object" && value !== null
        ? Object.values(value).some(losesDigits)
        : Number.isInteger(value) && !Number.isSafeInteger(value);
}
