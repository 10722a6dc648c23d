import { readFileSync } from "node:fs";
import { join } from "node:path";

import { Environment, type ILoader, Loader } from "nunjucks";

import { shellQuote } from "./shell";

/** Finds templates by their path in this folder, and includes by the same paths. */
const FileLoader = Loader.extend({
    getSource(name: string) {
        const path = join(__dirname, name);
        return { src: readFileSync(path, "utf8"), path, noCache: false };
    },
}) as unknown as new () => ILoader;

const environment = new Environment(new FileLoader(), {
    // The output is YAML, shell and TOML, never HTML.
    autoescape: false,
    throwOnUndefined: true,
    trimBlocks: true,
    lstripBlocks: true,
    // `{#` is the length operator of a shell (`${#name}`), so comments get strings nothing else has.
    tags: { commentStart: "<%#", commentEnd: "#%>" },
});

environment.addFilter("shell", (text: unknown) => shellQuote(String(text)));
/** A text as a YAML (and JSON) scalar: bare where YAML reads it as the same text, else quoted. */
environment.addFilter("scalar", (text: unknown) => {
    const plain = String(text);
    return /^[A-Za-z/-][A-Za-z0-9._/=,-]*$/.test(plain) && !yamlWords.test(plain)
        ? plain
        : JSON.stringify(plain);
});
environment.addFilter("base64", (text: unknown) =>
    Buffer.from(String(text), "utf8").toString("base64"),
);

/**
 * One argument of a systemd command line. Only `${NODE_...}`, which the node's own environment file
 * defines, stays a variable.
 */
environment.addFilter("systemdArg", (text: unknown) => {
    const escaped = String(text)
        .replaceAll("%", "%%")
        .replaceAll("$", "$$$$")
        .replaceAll(/\$\$(\{NODE_[A-Z0-9]+\})/g, "$$$1");
    return /^[A-Za-z0-9._/:=,${}%*+@-]+$/.test(escaped)
        ? escaped
        : `"${escaped.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
});

const yamlWords = /^(true|false|yes|no|on|off|null|y|n|-.*inf|-)$/i;

/**
 * Renders one template of this folder.
 *
 * @param name the file's path without `.njk`, such as `etcd/etcd.service`
 * @throws when the template uses a name the context does not define, or the result has a CR
 */
export function renderTemplate(name: string, context: object): string {
    const text = environment.render(`${name}.njk`, context);
    if (text.includes("\r")) {
        throw new Error(
            `${name}: the result holds a carriage return; give inputs with LF line ends.`,
        );
    }
    return text;
}
