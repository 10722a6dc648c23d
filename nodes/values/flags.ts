/**
 * Extra arguments of a program, by flag name without the dashes. A list repeats the flag. They win
 * over what we set ourselves, as in kubeadm.
 */
export type ExtraArgs = Readonly<Record<string, string | readonly string[]>>;

/** Flags that end a program of that minor at start, because they were removed. */
export type RemovedFlags = readonly string[];

/**
 * Merges defaults and the user's arguments into a list of `--name=value`: ours sorted, then what the
 * user added, so that an added flag is one line of a difference.
 *
 * @param what the input's name, for errors
 * @throws when a name is not a flag name, a value spans lines, or the flag was removed
 */
export function flagList(
    what: string,
    defaults: ExtraArgs,
    extra: ExtraArgs = {},
    removed: RemovedFlags = [],
): string[] {
    for (const [name, value] of Object.entries(extra)) {
        checkFlag(what, name, value, removed);
    }
    const byName = (flags: ExtraArgs) => Object.entries(flags).sort(([a], [b]) => (a < b ? -1 : 1));
    const ours = byName(defaults).map(([name, value]) => [name, extra[name] ?? value] as const);
    const added = byName(extra).filter(([name]) => !Object.hasOwn(defaults, name));
    return [...ours, ...added].flatMap(([name, value]) =>
        (typeof value === "string" ? [value] : value).map((one) => `--${name}=${one}`),
    );
}

function checkFlag(
    what: string,
    name: string,
    value: string | readonly string[],
    removed: RemovedFlags,
): void {
    if (!/^[a-z0-9][a-z0-9-]*$/.test(name)) {
        throw new Error(`${what}: "${name}" is not a flag name; write it without dashes in front.`);
    }
    if (removed.includes(name)) {
        throw new Error(
            `${what}: the flag --${name} does not exist in the chosen version; remove it.`,
        );
    }
    for (const one of typeof value === "string" ? [value] : value) {
        if (/\p{Cc}/u.test(one)) {
            throw new Error(`${what}.${name}: the value holds a line end or control character.`);
        }
    }
}
