import { dirname } from "node:path";

import { satisfies } from "semver";

import { type Check, fail, ok } from "./check";
import { manifestIn, ours, resolveFrom } from "./facts";
import { needed } from "./needed";

const pulumiRange = ours.peerDependencies["@pulumi/pulumi"];

/** Programs and packages on the machine of whoever runs Pulumi. */
export const programs: readonly Check[] = [
    {
        name: "Node.js",
        run: () =>
            Promise.resolve(
                satisfies(process.version, ours.engines.node)
                    ? ok(process.version)
                    : fail(
                          `${process.version}, which excloud-k8s does not run on`,
                          `install Node.js ${ours.engines.node}`,
                      ),
            ),
    },
    {
        name: "Pulumi CLI",
        run: async ({ pulumiVersion }) => {
            const version = await pulumiVersion();
            return satisfies(version, pulumiRange, { includePrerelease: true })
                ? ok(version)
                : fail(`${version} is not ${pulumiRange}`, "install a newer Pulumi CLI");
        },
    },
    {
        name: "@pulumi/pulumi",
        run: async (facts) => {
            const folder = await facts.program();
            const found = tryTo(() => resolveFrom(folder, "@pulumi/pulumi/package.json"));
            if (found === undefined) {
                return fail(`${folder} does not have it`, "run `npm install` there");
            }
            const { version } = manifestIn(found);
            return satisfies(version, pulumiRange)
                ? ok(version)
                : fail(
                      `${version} is not ${pulumiRange}`,
                      `run \`npm install @pulumi/pulumi@${pulumiRange}\` in ${folder}`,
                  );
        },
    },
    {
        name: "excloud-k8s",
        run: async (facts) => {
            const folder = await needed(facts.program(), "the program's folder");
            // What state files name; the provider's process looks for it from the program's folder.
            const provider = tryTo(() => resolveFrom(folder, "excloud-k8s/provider/v1"));
            if (provider === undefined) {
                return fail(
                    `${folder} does not have it, so that \`pulumi destroy\` would fail too`,
                    "run `npm install excloud-k8s` there",
                );
            }
            const sdks = [folder, dirname(provider)].map((from) =>
                tryTo(() => resolveFrom(from, "@pulumi/pulumi")),
            );
            return sdks[0] === sdks[1]
                ? ok(ours.version)
                : fail(
                      `it uses ${sdks[1]}, the program ${sdks[0]}: they do not know each other's outputs`,
                      "run `npm dedupe @pulumi/pulumi` in the program's folder",
                  );
        },
    },
];

function tryTo<T>(run: () => T): T | undefined {
    try {
        return run();
    } catch {
        return undefined;
    }
}
