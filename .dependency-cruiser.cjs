/**
 * The direction of imports: they go down this list only, and never in a circle, types included.
 * `npm run lint` checks it, `npm run picture` draws it.
 */
const ours =
    "^(components|nodes|templates|provider|contract|cli|bootstrap-server|local-cloud|tools|bench|test)/";

/** Files of a folder may import their own folder and these, and packages from a registry. */
const mayImport = {
    contract: [],
    templates: [],
    nodes: ["templates", "contract"],
    provider: ["contract"],
    cli: ["provider", "contract"],
    components: ["nodes", "provider", "contract"],
    "bootstrap-server": ["contract"],
    "local-cloud": ["provider/api", "contract"],
    tools: ["cli", "nodes", "provider", "contract", "bootstrap-server", "local-cloud"],
    bench: [
        "tools",
        "components",
        "nodes",
        "provider",
        "contract",
        "bootstrap-server",
        "local-cloud",
    ],
};

/** Of these, others see only what they show. */
const faces = {
    "components see the provider's face only": ["^components/", "^provider/(?!index)"],
    "components see the nodes' face only": ["^components/", "^nodes/(?!index)"],
    "rules of the server do no I/O": [
        "^bootstrap-server/src/rules/",
        "^bootstrap-server/src/(?!rules/)",
    ],
    "values of nodes do not know what uses them": [
        "^nodes/values/",
        "^nodes/(?!values/|versions|network/names|certificates|paths)",
    ],
    "pod networks do not know programs": [
        "^nodes/network/",
        "^nodes/(programs|roles|role-files|files)",
    ],
    "programs do not know the roles that run them": [
        "^nodes/programs/",
        "^nodes/(roles|role-files|files|image|index)",
    ],
    "resource types do not know what declares them": [
        "^provider/resources/",
        "^provider/(index|v1)",
    ],
};

module.exports = {
    forbidden: [
        { name: "no circles", severity: "error", from: {}, to: { circular: true } },
        ...Object.entries(mayImport).map(([folder, others]) => ({
            name: `${folder} imports ${others.length === 0 ? "no other folder" : `only ${others.join(", ")}`}`,
            severity: "error",
            from: { path: `^${folder}/` },
            to: { path: ours, pathNot: `^(${[folder, ...others].join("|")})/` },
        })),
        ...Object.entries(faces).map(([name, [from, to]]) => ({
            name,
            severity: "error",
            from: { path: from },
            to: { path: to },
        })),
    ],
    options: {
        doNotFollow: { path: "node_modules" },
        exclude: { path: "(^|/)(dist|node_modules)/" },
        tsPreCompilationDeps: true,
        tsConfig: { fileName: "tsconfig.imports.json" },
    },
};
