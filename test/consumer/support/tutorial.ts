import type { Token, Tokens } from "marked";

import { tokensOf } from "../../support/docs/markdown";

/** What a tutorial asks of its reader: to run commands, or to write a file. */
export type Step = { readonly commands: string } | { readonly file: string; readonly text: string };

/** The fenced blocks of a page: `sh` are commands, and what follows "`name`:" is that file. */
export function readTutorial(page: string): Step[] {
    const tokens = tokensOf(page);
    return tokens.flatMap((token, at) => {
        if (token.type !== "code") {
            return [];
        }
        const { lang, text, raw } = token as Tokens.Code;
        if (lang === "sh") {
            return { commands: text };
        }
        const file = fileNamedBy(tokens.slice(0, at));
        if (file !== undefined) {
            return { file, text: `${text}\n` };
        }
        throw new Error(`neither commands nor a file with its name in front: ${raw}`);
    });
}

function fileNamedBy(before: readonly Token[]): string | undefined {
    const last = before.findLast(({ type }) => type === "paragraph");
    return /^`([\w.-]+)`:$/.exec(last?.raw.trim() ?? "")?.[1];
}

/** The step as a script for bash. */
export function scriptOf(step: Step): string {
    return "commands" in step
        ? step.commands
        : `cat >${step.file} <<'END_OF_FILE'\n${step.text}END_OF_FILE`;
}
