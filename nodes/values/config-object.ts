import { parse, stringify } from "yaml";

import { renderTemplate } from "../../templates/render";

/** A plain YAML or JSON object, such as a component's configuration. */
export type ConfigObject = Readonly<Record<string, unknown>>;

/** Merges objects deeply: what comes later wins, lists are replaced as a whole. */
function mergeConfig(base: ConfigObject, over: ConfigObject): ConfigObject {
    const merged: Record<string, unknown> = { ...base };
    for (const [key, value] of Object.entries(over)) {
        const before = merged[key];
        merged[key] = isObject(before) && isObject(value) ? mergeConfig(before, value) : value;
    }
    return merged;
}

/** Stable YAML: keys sorted, quoted as YAML 1.1 readers need, no line folding. */
export function yamlText(value: ConfigObject): string {
    return stringify(value, { version: "1.1", sortMapEntries: true, lineWidth: 0 });
}

/** A program's configuration from a template, with the user's object merged over it. */
export function mergedConfig(template: string, context: object, over: ConfigObject): string {
    return yamlText(mergeConfig(parse(renderTemplate(template, context)) as ConfigObject, over));
}

function isObject(value: unknown): value is ConfigObject {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
