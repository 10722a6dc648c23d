import type { PoolClient } from "pg";

const names = new Map<string, string>();

/**
 * Declares a statement that PostgreSQL is to parse and plan once per connection. Returns its text.
 * A pooler in front of PostgreSQL must know prepared statements (PgBouncer 1.21 or newer does).
 */
export function prepare(name: string, text: string): string {
    names.set(text, name);
    return text;
}

/** Makes a connection run declared statements as prepared ones, and all others as they are. */
export function runPrepared(client: PoolClient): void {
    const query = client.query.bind(client) as (...of: unknown[]) => unknown;
    const run = (text: unknown, values?: unknown, ...more: unknown[]): unknown => {
        const name = typeof text === "string" ? names.get(text) : undefined;
        return name === undefined
            ? query(text, values, ...more)
            : query({ name, text, values }, ...more);
    };
    Object.assign(client, { query: run });
}
