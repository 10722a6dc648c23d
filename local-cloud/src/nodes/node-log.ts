import { appendFileSync, existsSync, readFileSync } from "node:fs";

/** A node's log: one line per event, in a file that outlives the process. Never holds a secret. */
export class NodeLog {
    private readonly lines: string[];

    constructor(private readonly file: string) {
        this.lines = existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(0, -1) : [];
    }

    write(text: string): void {
        const line = `${new Date().toISOString()} ${text}`;
        this.lines.push(line);
        appendFileSync(this.file, `${line}\n`, { mode: 0o600 });
    }

    all(): readonly string[] {
        return this.lines;
    }

    tail(count: number): string[] {
        return this.lines.slice(-count);
    }
}
