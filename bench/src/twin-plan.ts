import { nameOf, type StateResource } from "./state";

/** Properties that a state has and no program gives. */
const engineOwn = ["__defaults"];
const providerKey = "__provider";

/**
 * Turns an exported state into what the twin program registers. Resources keep names, inputs and edges;
 * dynamic ones get a provider that does nothing. The engine's own providers are left to the engine.
 *
 * @param resources with secrets in the clear: the plan holds private keys
 */
export function twinPlan(resources: readonly StateResource[]) {
    const stack = resources.find(({ type }) => type === "pulumi:pulumi:Stack");
    return {
        resources: resources
            .filter((one) => one !== stack && !one.type.startsWith("pulumi:providers:"))
            .map((one) => ({
                urn: one.urn,
                type: one.type,
                name: nameOf(one.urn),
                custom: one.custom,
                inputs: inputsOf(one),
                outputs: one.custom ? {} : (one.outputs ?? {}),
                ...(one.parent === undefined || one.parent === stack?.urn
                    ? {}
                    : { parent: one.parent }),
                dependencies: one.dependencies ?? [],
                propertyDependencies: one.propertyDependencies ?? {},
                ...(one.deletedWith === undefined ? {} : { deletedWith: one.deletedWith }),
                additionalSecretOutputs: one.additionalSecretOutputs ?? [],
                hideDiffs: one.hideDiff ?? [],
            })),
        outputs: stack?.outputs ?? {},
    };
}

function inputsOf({ inputs = {}, outputs = {} }: StateResource): Record<string, unknown> {
    const given = Object.fromEntries(
        Object.entries(inputs).filter(([key]) => !engineOwn.includes(key)),
    );
    return providerKey in given
        ? { ...given, [providerKey]: emptyProvider(inputs, outputs) }
        : given;
}

/**
 * The text of a provider whose operations return at once. Its outputs leave out the inputs that the
 * original's outputs leave out, so that the twin's state is no larger.
 */
function emptyProvider(inputs: Record<string, unknown>, outputs: Record<string, unknown>): string {
    const left = Object.keys(inputs).filter((key) => !(key in outputs));
    const parameter = `{ ${[...left, "...outs"].join(", ")} }`;
    return [
        "exports.handler = () => ({",
        "check: async (olds, inputs) => ({ inputs, failures: [] }),",
        "diff: async () => ({ changes: false }),",
        `create: async (${parameter}) => ({ id: "0", outs }),`,
        "read: async (id, props) => ({ id, props }),",
        `update: async (id, olds, ${parameter}) => ({ outs }),`,
        "delete: async () => {} });",
    ].join(" ");
}
