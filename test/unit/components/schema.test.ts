import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { expect, test } from "@jest/globals";
import { Analyzer } from "@pulumi/pulumi/provider/experimental/analyzer";
import { generateSchema } from "@pulumi/pulumi/provider/experimental/schema";

// What programs in other languages would see of the component. Pulumi's own analyser fails on what they
// cannot have: unions, unknown, callbacks, classes. components/schema.json is what it makes of it, so that
// a change of the interface shows in review; `UPDATE_GOLDEN=1` writes it anew.

const repository = join(__dirname, "../../..");
const file = join(repository, "components/schema.json");

test("the component's interface can be used from other languages, and is the committed one", () => {
    const entry = { main: "components/index.ts" };
    const analyzer = new Analyzer(repository, "excloud-k8s", entry, new Set(["ExcloudK8sCluster"]));
    const { components, typeDefinitions, dependencies } = analyzer.analyze();
    const schema = generateSchema("excloud-k8s", "", "", components, typeDefinitions, dependencies);
    const text = `${JSON.stringify(schema, undefined, 4)}\n`;
    if (process.env["UPDATE_GOLDEN"] === "1") {
        writeFileSync(file, text);
    }
    expect(existsSync(file) ? readFileSync(file, "utf8") : "").toBe(text);
});
