import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

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
