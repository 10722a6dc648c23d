import { parseUnit } from "../../../../local-cloud/src/nodes/check/units";
import type { Facts } from "./differences";
import { staticPod } from "./pod";
import { fileAt, type Files } from "./scenario";

/** The flags of a static pod's program. */
export function podFlags(files: Files, program: string): Facts {
    const [container, ...others] = staticPod(files, program).spec.containers;
    if (container === undefined || others.length > 0 || container.args !== undefined) {
        throw new Error(`${program}: the pod is not one container with a command and no arguments`);
    }
    const [name, ...words] = container.command;
    if (name !== program) {
        throw new Error(`${program}: the container runs ${String(name)}`);
    }
    return flagFacts(words);
}

/** The flags of a unit's program, with the variables that the unit's environment files define. */
export function unitFlags(files: Files, program: string): Facts {
    const path = `/etc/systemd/system/${program}.service`;
    const { values, problems } = parseUnit(path, fileAt(files, path));
    const [command, ...others] = values.get("Service.ExecStart") ?? [];
    if (command === undefined || others.length > 0 || problems.length > 0) {
        throw new Error(`${path} does not start one program: ${problems.join(", ")}`);
    }
    const variables = Object.assign(
        {},
        ...(values.get("Service.EnvironmentFile") ?? []).map((file) => environment(files[file])),
    ) as Facts;
    const [, ...words] = wordsOf(command);
    return flagFacts(words.map((word) => expand(word, variables)));
}

/** Flags by name; a repeated one has its values joined by spaces. */
export function flagFacts(words: readonly string[]): Facts {
    const flags: Record<string, string> = {};
    for (const word of words) {
        const [, name, value] = /^--([a-z0-9-]+)=(.*)$/s.exec(word) ?? [];
        if (name === undefined || value === undefined) {
            throw new Error(`"${word}" is not --name=value`);
        }
        flags[name] = name in flags ? `${flags[name]} ${value}` : value;
    }
    return flags;
}

/** A file that the node writes itself is not among ours, and defines nothing here. */
function environment(text = ""): Facts {
    return Object.fromEntries(
        [...text.matchAll(/^([A-Z0-9_]+)='([^']*)'$/gm)].map(([, name, value]) => [name, value]),
    ) as Facts;
}

/** Words of a systemd command line, without its quotes. */
function wordsOf(command: string): string[] {
    return [...command.matchAll(/"((?:[^"\\]|\\.)*)"|\S+/g)].map(([word, quoted]) =>
        quoted === undefined ? word : quoted.replaceAll(/\\(.)/g, "$1"),
    );
}

function expand(word: string, variables: Facts): string {
    return word
        .replaceAll(/\$\{([A-Z0-9_]+)\}/g, (_, name: string) => {
            const value = variables[name];
            if (value === undefined) {
                throw new Error(`${word}: no environment file of the unit defines ${name}`);
            }
            return value;
        })
        .replaceAll("$$", "$")
        .replaceAll("%%", "%");
}
