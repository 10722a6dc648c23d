/** What was read of a systemd unit or drop-in. */
export interface Unit {
    readonly problems: readonly string[];
    /** Values by `Section.Key`, in order. */
    readonly values: ReadonlyMap<string, readonly string[]>;
}

const sections = new Set([
    "Unit",
    "Service",
    "Install",
    "Timer",
    "Path",
    "Mount",
    "Slice",
    "Socket",
]);

/** Reads a unit as systemd does: sections, `Key=value`, comments, backslash continuation. */
export function parseUnit(file: string, text: string): Unit {
    const problems: string[] = [];
    const values = new Map<string, string[]>();
    let section: string | undefined;
    for (const line of logicalLines(text)) {
        const [, name] = /^\[(.*)\]$/.exec(line) ?? [];
        const [, key, value] = /^([A-Za-z]+)=(.*)$/s.exec(line) ?? [];
        if (name !== undefined) {
            if (!sections.has(name)) {
                problems.push(`unknown section [${name}]`);
            }
            section = name;
        } else if (key === undefined || value === undefined) {
            problems.push(`"${line}" is neither a section nor Key=value`);
        } else if (section === undefined) {
            problems.push(`"${key}" stands before any section`);
        } else {
            const id = `${section}.${key}`;
            values.set(id, [...(values.get(id) ?? []), value.trim()]);
        }
    }
    if (file.endsWith(".service")) {
        problems.push(...serviceProblems(values));
    }
    return { problems, values };
}

/** Lines with continuations joined; comments are left out, also within a continuation. */
function logicalLines(text: string): string[] {
    const lines: string[] = [];
    let open = false;
    for (const raw of text.split("\n")) {
        const line = raw.trim();
        if (line.startsWith("#") || line.startsWith(";")) {
            continue;
        }
        if (line === "" && !open) {
            continue;
        }
        const continued = line.endsWith("\\");
        const content = continued ? line.slice(0, -1) : line;
        if (open) {
            lines.push(`${lines.pop() ?? ""} ${content}`);
        } else {
            lines.push(content);
        }
        open = continued;
    }
    return lines;
}

function serviceProblems(values: ReadonlyMap<string, readonly string[]>): string[] {
    const commands = (values.get("Service.ExecStart") ?? []).filter((command) => command !== "");
    if (commands.length === 0) {
        return ["[Service] has no ExecStart"];
    }
    return commands
        .map((command) => command.replace(/^[-@:+!]+/, "").split(/\s/)[0] ?? "")
        .filter((program) => !program.startsWith("/"))
        .map((program) => `ExecStart runs "${program}", which is no absolute path`);
}
