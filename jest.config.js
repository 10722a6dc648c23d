/** Tests by level: `jest --selectProjects unit contract engine cluster`. */
const level = (name) => ({
    displayName: name,
    testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
    testEnvironment: "node",
    // Types are checked by `npm run build` and `npm run lint`.
    transform: { "\\.ts$": ["ts-jest", { tsconfig: "test/tsconfig.json" }] },
    modulePathIgnorePatterns: ["/dist/"],
});

module.exports = {
    projects: [level("unit"), level("contract"), level("engine"), level("cluster")],
    testTimeout: 300_000,
};
