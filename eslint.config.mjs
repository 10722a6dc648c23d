import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import importSort from "eslint-plugin-simple-import-sort";
import tseslint from "typescript-eslint";

/** A duration's name ends with its unit, as a bare number does not tell it. */
const durations = {
    selector:
        "VariableDeclarator[id.name=/(^time(out)?|^pause|^patience|^lifetime|^interval|^delay|^ttl|Time(out)?|Pause|Patience|Lifetime|Interval|Delay|Ttl|Milliseconds|_MS)$/][init.type=/^(Literal|BinaryExpression)$/]",
    message: "Name a duration with its unit: Ms or Seconds at the end.",
};

export default defineConfig(
    globalIgnores([
        "**/dist/**",
        "**/node_modules/**",
        "**/golden/**",
        // Its packages are not installed here.
        "examples/larger-program/application/**",
    ]),
    js.configs.recommended,
    {
        plugins: { importSort },
        rules: {
            curly: ["error", "all"],
            "no-restricted-syntax": ["error", durations],
            // Node.js's own, packages, this repository's by name, relative ones; a blank line between groups.
            "importSort/imports": [
                "error",
                { groups: [["^\\u0000"], ["^node:"], ["^@?\\w"], ["^#"], ["^\\."]] },
            ],
        },
    },
    {
        files: ["**/*.ts"],
        extends: [tseslint.configs.recommendedTypeChecked],
        languageOptions: {
            parserOptions: {
                project: [
                    "tsconfig.json",
                    "bootstrap-server/tsconfig.json",
                    "local-cloud/tsconfig.json",
                    "tools/tsconfig.json",
                    "test/tsconfig.json",
                    "bench/tsconfig.json",
                    "bench/twin/tsconfig.json",
                    "examples/*/tsconfig.json",
                ],
                tsconfigRootDir: import.meta.dirname,
            },
        },
        rules: {
            "@typescript-eslint/no-floating-promises": "error",
            "@typescript-eslint/consistent-type-imports": "error",
            "@typescript-eslint/no-unused-vars": [
                "error",
                { argsIgnorePattern: "^_", varsIgnorePattern: "^_" },
            ],
        },
    },
    {
        files: ["**/*.mjs", "**/*.js"],
        languageOptions: {
            globals: {
                process: "readonly",
                console: "readonly",
                module: "writable",
                require: "readonly",
                URL: "readonly",
                setTimeout: "readonly",
            },
        },
    },
    {
        files: ["bootstrap-server/page/*.js"],
        languageOptions: {
            globals: {
                AbortSignal: "readonly",
                CSS: "readonly",
                document: "readonly",
                DOMParser: "readonly",
                fetch: "readonly",
                location: "readonly",
            },
        },
    },
);
