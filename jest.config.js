/** Tests by level: `jest --selectProjects unit contract engine`. */
const shared = {
    transform: {
        "\\.ts$": ["@swc/jest", { jsc: { target: "es2022" }, module: { type: "commonjs" } }],
    },
    testEnvironment: "node",
    modulePathIgnorePatterns: ["/dist/"],
};
const level = (name, extra = {}) => ({
    ...shared,
    ...extra,
    displayName: name,
    testMatch: [`<rootDir>/test/${name}/**/*.test.ts`],
});
module.exports = {
    projects: [level("unit"), level("contract"), level("engine")],
    testTimeout: 300_000,
};
