/** Tests by level: `jest --selectProjects unit contract engine cluster`. */
const level = (name, more = {}) => ({
    displayName: name,
    testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
    testEnvironment: "node",
    // Types are checked by `npm run build` and `npm run lint`.
    transform: { "\\.ts$": ["ts-jest", { tsconfig: "test/tsconfig.json" }] },
    modulePathIgnorePatterns: ["/dist/"],
    ...more,
});

module.exports = {
    projects: [
        level("unit"),
        level("contract"),
        level("engine"),
        // Installs the packages from their tarballs, from a registry.
        level("consumer"),
        // Needs Linux and root; may build Kubernetes first. The time limit below is too short for it.
        level("cluster", { setupFilesAfterEnv: ["<rootDir>/test/cluster/timeout.ts"] }),
    ],
    testTimeout: 300_000,
};
