import { readFileSync } from "node:fs";

import { parseDocument } from "yaml";

import { messageOf } from "./errors";
import { type Setting, type SettingKey, settings, type SettingValues } from "./settings";

/** Where a value stands: its text, or its texts, and what to call it in a message. */
interface Found {
    name: string;
    texts: string[];
}

/** Takes what is wrong, to be told at once, and with which setting. */
type Complain = (problem: string, key?: SettingKey) => void;

/** What the sources hold: flags by name (`--listen`), environment, parsed configuration file. */
export interface Sources {
    flags: Readonly<Record<string, string | readonly string[] | undefined>>;
    env: NodeJS.ProcessEnv;
    file: Readonly<Record<string, unknown>>;
    /** Path of the configuration file, for messages. */
    fileName: string;
}

const table: Readonly<Record<string, Setting>> = settings;

/** Reads a configuration file: a YAML map of known keys. */
export function readConfigFile(path: string, complain: Complain): Record<string, unknown> {
    let text: string;
    try {
        text = readFileSync(path, "utf8");
    } catch (error) {
        complain(`--config: ${messageOf(error)}`);
        return {};
    }
    const document = parseDocument(text);
    // A message of the parser quotes the line, which may hold a secret: its first line does not.
    for (const error of document.errors) {
        complain(`${path}: ${error.message.split("\n")[0]}`);
    }
    if (document.errors.length > 0 || document.contents === null) {
        return {};
    }
    const content: unknown = document.toJS();
    if (typeof content !== "object" || content === null || Array.isArray(content)) {
        complain(`${path} is no map of settings: write "key: value" lines`);
        return {};
    }
    for (const key of Object.keys(content)) {
        const base = key.replace(/File$/, "");
        const known = Object.hasOwn(table, key) || (base !== key && table[base]?.secret);
        if (!known) {
            complain(`${path} holds the unknown key ${key}: see serve --help`);
        }
    }
    return content as Record<string, unknown>;
}

/** A value of the file as texts: scalars, or a list of them; undefined when it is neither. */
function textsOf(value: unknown): string[] | undefined {
    const all: unknown[] = Array.isArray(value) ? value : [value];
    return all.every((one) => ["string", "number", "boolean"].includes(typeof one))
        ? all.map(String)
        : undefined;
}

function fromFileNamed(path: string, name: string, complain: Complain): Found | undefined {
    try {
        return { name, texts: [readFileSync(path, "utf8").trim()] };
    } catch (error) {
        complain(`${name}: ${messageOf(error)}`);
        return undefined;
    }
}

/** The places a setting may stand in, the one that wins first. */
function find(
    key: SettingKey,
    setting: Setting,
    { flags, env, file, fileName }: Sources,
    complain: Complain,
): Found | undefined {
    const { environment, flag = "" } = setting;
    const given = flags[flag];
    if (given !== undefined && given.length > 0) {
        return { name: flag, texts: [given].flat() };
    }
    // An empty variable counts as not set, as shells and compose files leave them.
    if (env[environment]) {
        return { name: environment, texts: [env[environment]] };
    }
    const path = setting.secret && env[`${environment}_FILE`];
    if (path) {
        return fromFileNamed(path, `${environment}_FILE`, complain);
    }
    if (file[key] !== undefined && file[key] !== null) {
        const name = `${key} of ${fileName}`;
        const texts = textsOf(file[key]);
        if (!texts) {
            complain(`${name} is no text or list of texts: ${setting.expected}`);
        }
        return texts && { name, texts };
    }
    const named = setting.secret && file[`${key}File`];
    if (typeof named === "string") {
        return fromFileNamed(named, `${key}File of ${fileName}`, complain);
    }
    return undefined;
}

/** Texts of a list: separated by commas or line ends within each. */
function split(texts: readonly string[]): string[] {
    return texts
        .flatMap((one) => one.split(/[,\n]/))
        .map((one) => one.trim())
        .filter((one) => one !== "");
}

function read(setting: Setting, { name, texts }: Found, complain: Complain): unknown {
    const all = setting.list ? split(texts) : texts.slice(0, 1);
    if (!setting.list && texts.length > 1) {
        complain(`${name} is a list: ${setting.expected}`);
    }
    const values = all.map((one) => {
        const value = setting.read(one);
        const seen = setting.secret ? "has a value that is not shown" : `is "${one}"`;
        if (value === undefined) {
            complain(`${name} ${seen}: ${setting.expected}`);
        }
        return value;
    });
    return setting.list ? values : values[0];
}

/** Reads every setting: of flags, environment, file and fallback the first that gives one. */
export function readSettings(sources: Sources, complain: Complain): SettingValues {
    return Object.fromEntries(
        Object.entries(table).map(([key, setting]) => {
            const { fallback } = setting;
            const complainOf = (problem: string): void => complain(problem, key as SettingKey);
            const found =
                find(key as SettingKey, setting, sources, complainOf) ??
                (fallback === undefined ? undefined : { name: key, texts: [fallback] });
            return [key, found && read(setting, found, complainOf)];
        }),
    ) as SettingValues;
}
