import { readFileSync } from "node:fs";

/** What a tutorial asks of its reader: to run commands, or to write a file. */
export type Step = { readonly commands: string } | { readonly file: string; readonly text: string };

/** The fenced blocks of a page: `sh` are commands, and what follows "`name`:" is that file. */
export function readTutorial(path: string): Step[] {
    const page = readFileSync(path, "utf8");
    return [...page.matchAll(/(?:^`([\w.-]+)`:\n\n)?^```(\w+)\n([^]*?)^```$/gm)].map(
        ([block, file, language, text = ""]) => {
            if (file !== undefined) return { file, text };
            if (language === "sh") return { commands: text };
            throw new Error(`neither commands nor a file with its name in front: ${block}`);
        },
    );
}

/** The step as a script for bash. */
export function scriptOf(step: Step): string {
    return "commands" in step
        ? step.commands
        : `cat >${step.file} <<'END_OF_FILE'\n${step.text}END_OF_FILE`;
}
