/** What a consumer's project differs in. */
export const choices = {
    /** Node.js: the oldest that the packages declare, and the newest of later major versions. */
    node: ["20.19.0", "22", "24"],
    manager: ["npm", "pnpm"],
    language: ["TypeScript", "ES module"],
    /** `@pulumi/pulumi`: the oldest that the package declares, and the newest there is. */
    sdk: ["3.216.0", "3"],
} as const;

export type Combination = { readonly [K in keyof typeof choices]: (typeof choices)[K][number] };

/** A few combinations that have each choice at least once. */
export const covering: readonly Combination[] = Array.from(
    { length: Math.max(...Object.values(choices).map(({ length }) => length)) },
    (_, row) => pick((list) => list[row % list.length]!),
);

/** All of them, but for those that the newest SDK excludes: it declares Node.js 22 or newer. */
export const all: readonly Combination[] = choices.node
    .flatMap((node) =>
        choices.manager.flatMap((manager) =>
            choices.language.flatMap((language) =>
                choices.sdk.map((sdk) => ({ node, manager, language, sdk })),
            ),
        ),
    )
    .filter(({ node, sdk }) => !(node.startsWith("20.") && sdk === "3"));

export const titleOf = ({ node, manager, language, sdk }: Combination): string =>
    `Node.js ${node}, ${manager}, ${language}, @pulumi/pulumi ${sdk}`;

function pick(one: (list: readonly string[]) => string): Combination {
    return Object.fromEntries(
        Object.entries(choices).map(([name, list]) => [name, one(list)]),
    ) as unknown as Combination;
}
