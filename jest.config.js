const { availableParallelism } = require("node:os");

/** Tests by level: `jest --selectProjects unit contract engine cluster`. */
const level = (name, { folder = name, ...more } = {}) => ({
    displayName: name,
    testMatch: [`<rootDir>/test/${folder}/**/*.test.ts`],
    testEnvironment: "node",
    // Types are checked by `npm run build` and `npm run lint`.
    transform: { "\\.ts$": ["ts-jest", { tsconfig: "test/tsconfig.json" }] },
    modulePathIgnorePatterns: ["/dist/"],
    ...more,
});

const realNodes = "<rootDir>/test/support/real-nodes/timeout.ts";

module.exports = {
    projects: [
        level("unit"),
        level("contract"),
        level("engine"),
        // Installs the packages from their tarballs, from a registry.
        level("consumer"),
        // Need Linux and root, and may build Kubernetes first. The time limit below is too short for them.
        level("cluster", { setupFilesAfterEnv: [realNodes] }),
        level("story", { folder: "stories", setupFilesAfterEnv: [realNodes] }),
    ],
    testTimeout: 300_000,
    // Two at a time even on two cores, as tests wait for the processes that they look at.
    maxWorkers: Math.max(2, availableParallelism() - 1),
};
