import { type Setting, settings } from "./settings";

const rows = Object.entries(settings as Readonly<Record<string, Setting>>);

const withoutValue = ({ fallback, otherwise = "" }: Setting): string => fallback ?? otherwise;

/** The settings as a table of Markdown, for the README. */
export function settingsTable(): string {
    const lines = rows.map(([key, setting]) => {
        const names = [
            `\`${setting.environment}\``,
            ...(setting.flag ? [`\`${setting.flag}\``] : []),
        ];
        const fallback = setting.fallback ? `\`${setting.fallback}\`` : withoutValue(setting);
        const secret = setting.secret ? " (secret)" : "";
        return [`\`${key}\`${secret}`, names.join(", "), fallback, setting.meaning];
    });
    return [
        ["Key", "Environment, option", "Default", "Meaning"],
        ["---", "---", "---", "---"],
        ...lines,
    ]
        .map((cells) => `| ${cells.join(" | ")} |`)
        .join("\n");
}

/** The settings as plain text, for `serve --help`. */
export function settingsHelp(): string {
    const lines = rows.map(([key, setting]) => {
        const meaning = `${setting.meaning} (${withoutValue(setting)})`.replaceAll("`", "");
        return `  ${key.padEnd(16)} ${setting.environment}\n${" ".repeat(19)}${meaning}`;
    });
    return [
        "",
        "Settings: keys of the --config file, variables of the environment, which win over the file.",
        "Secrets may lie in files that <key>File or <VARIABLE>_FILE name.",
        "",
        ...lines,
    ].join("\n");
}
