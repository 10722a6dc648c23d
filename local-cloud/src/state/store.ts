import { existsSync, readFileSync } from "node:fs";

import { writeFileAtomic } from "./files";

/** Rows of one kind, kept in memory and in one JSON file that is rewritten at each change. */
export class Store<Row> {
    private readonly rows: Map<string | number, Row>;

    /** `initial` is what the store holds when its file does not exist yet. */
    constructor(
        private readonly file: string,
        private readonly keyOf: (row: Row) => string | number,
        initial: readonly Row[] = [],
    ) {
        const exists = existsSync(file);
        const rows = exists ? (JSON.parse(readFileSync(file, "utf8")) as Row[]) : initial;
        this.rows = new Map(rows.map((row) => [keyOf(row), row]));
        if (!exists) {
            this.save();
        }
    }

    get(key: string | number): Row | undefined {
        return this.rows.get(key);
    }

    list(): Row[] {
        return [...this.rows.values()];
    }

    /** Adds a row, or replaces the one with the same key. */
    put(row: Row): Row {
        this.rows.set(this.keyOf(row), row);
        this.save();
        return row;
    }

    delete(key: string | number): void {
        if (this.rows.delete(key)) {
            this.save();
        }
    }

    private save(): void {
        writeFileAtomic(this.file, `${JSON.stringify(this.list(), null, 2)}\n`);
    }
}
