/** What may be given in place of an input that the cloud does not know, for its error. */
export function choicesOf(things: readonly (string | { id: number; name: string })[]): string {
    return things.length > 0
        ? `There are ${things.map(nameOf).join(", ")}. Next: give one of them`
        : "The cloud lists none. Next: run the command again; when it stays so, look what your API key may see";
}

const nameOf = (thing: string | { id: number; name: string }): string =>
    typeof thing === "string" ? thing : `${thing.id} (${thing.name})`;
