import { expect, test } from "@jest/globals";

import { makeContext } from "../../../provider/context";
import { unknownValue } from "../../../provider/handler";
import { randomBytes } from "../../../provider/resources/random-bytes";

const context = makeContext(() => undefined);

test("bytes are drawn once, as many as asked for, and kept by all that follows", async () => {
    const one = await randomBytes.create({ length: 32 }, context);
    const other = await randomBytes.create({ length: 32 }, context);
    expect(one.outputs.hex).toMatch(/^[0-9a-f]{64}$/);
    expect(other.outputs.hex).not.toBe(one.outputs.hex);
    expect(one.outputs.hex).not.toContain(one.id);

    const state = { length: 32, ...one.outputs };
    expect(await randomBytes.read(one.id, state, context)).toEqual(one);
    expect(await randomBytes.update(one.id, state, { length: 32 }, context)).toEqual(one);
});

test.each([15, 65, 16.5, -1, Number.NaN])("a length of %s is refused", async (length) => {
    const { failures } = await randomBytes.check!({ length }, undefined, context);
    expect(failures).toEqual([
        {
            property: "length",
            reason: `length must be a whole number from 16 to 64 (got ${length})`,
        },
    ]);
});

test.each([16, 64, unknownValue as unknown as number])("a length of %s is not", async (length) => {
    expect((await randomBytes.check!({ length }, undefined, context)).failures).toEqual([]);
});
