import { inspect } from "node:util";

import { expect, test } from "@jest/globals";

import { InvalidArgumentsError } from "../../../components";

test("is shown as its message, whatever the SDK hangs on it", () => {
    const error = new InvalidArgumentsError('ExcloudK8sCluster "prod"', ["subnetId is 0"]);
    Object.assign(error, { promise: Promise.resolve("all that is pending") });
    expect(inspect(error)).toBe(error.message);
});
