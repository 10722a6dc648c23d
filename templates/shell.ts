/**
 * Quotes a text as one word for a POSIX shell: single quotes, in which nothing is expanded.
 *
 * @throws when the text holds a NUL, which no shell word can
 */
export function shellQuote(text: string): string {
    if (text.includes("\0")) {
        throw new Error("A NUL character cannot be part of a shell word.");
    }
    return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * Writes the lines of an environment file that both a shell and systemd's `EnvironmentFile=` read
 * alike: `NAME='value'`.
 *
 * @throws when a value holds a quote, a backslash or a control character: the two readers
 *   disagree about these, and no value we write needs them
 */
export function envLines(variables: Readonly<Record<string, string | number>>): string {
    return Object.entries(variables)
        .map(([name, value]) => {
            const text = String(value);
            if (!/^[^'"\\\p{Cc}]*$/u.test(text)) {
                throw new Error(
                    `${name}: the value holds a quote, a backslash or a control character, ` +
                        "which an environment file cannot carry.",
                );
            }
            return `${name}='${text}'\n`;
        })
        .join("");
}
