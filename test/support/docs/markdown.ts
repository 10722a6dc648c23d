import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

import { lexer, type Token, type Tokens, walkTokens } from "marked";

import { REPOSITORY } from "../../../tools/engine/repository";

/** The pages of the repository, by their path from its root. */
export function pages(folder = REPOSITORY): string[] {
    return readdirSync(folder, { withFileTypes: true })
        .filter(({ name }) => !/^(\.|node_modules$|dist$)/.test(name))
        .flatMap((entry) => {
            const path = join(folder, entry.name);
            if (entry.isDirectory()) {
                return pages(path);
            }
            return entry.name.endsWith(".md") ? [relative(REPOSITORY, path)] : [];
        });
}

/** Every token of a page, those within others too. */
export function tokensOf(page: string): Token[] {
    const tokens: Token[] = [];
    void walkTokens(lexer(readFileSync(join(REPOSITORY, page), "utf8")), (token) => {
        tokens.push(token);
    });
    return tokens;
}

/**
 * The commands that a page shows: the lines of `sh` blocks, and what follows a prompt in other blocks. Without
 * comments; lines that go on with a backslash are one command.
 */
export function commandsOf(page: string): string[] {
    return tokensOf(page)
        .filter((token): token is Tokens.Code => token.type === "code")
        .flatMap(({ lang, text }) => {
            const lines = text.replaceAll(/\\\n\s*/g, "").split("\n");
            return lang === "sh" ? lines : lines.flatMap((line) => prompt.exec(line)?.[1] ?? []);
        })
        .map((line) => line.replace(/(^|\s+)# .*$/, ""))
        .filter((line) => line !== "");
}

const prompt = /^[$#] (.*)$/;

/** Where the links and pictures of a page lead, as it says it. */
export function targetsOf(page: string): string[] {
    return tokensOf(page).flatMap((token) => {
        if (token.type === "link" || token.type === "image") {
            return [(token as Tokens.Link).href];
        }
        if (token.type !== "html") {
            return [];
        }
        return [...token.raw.matchAll(/(?:href|src|srcset)="([^"]*)"/g)].map(
            ([, target]) => target!,
        );
    });
}

/** What `#...` may name on a page: its headings as GitHub and npm name them, and ids of its HTML. */
export function anchorsOf(page: string): string[] {
    const seen = new Map<string, number>();
    return tokensOf(page).flatMap((token) => {
        if (token.type === "html") {
            return [...token.raw.matchAll(/(?:id|name)="([^"]*)"/g)].map(([, id]) => id!);
        }
        if (token.type !== "heading") {
            return [];
        }
        const name = plainText((token as Tokens.Heading).tokens)
            .toLowerCase()
            .replaceAll(/[^\p{L}\p{M}\p{N}\p{Pc}\- ]/gu, "")
            .replaceAll(" ", "-");
        const before = seen.get(name) ?? 0;
        seen.set(name, before + 1);
        return [before === 0 ? name : `${name}-${before}`];
    });
}

function plainText(tokens: readonly Token[]): string {
    return tokens
        .map((token) => {
            if ("tokens" in token && token.tokens) {
                return plainText(token.tokens);
            }
            return "text" in token ? String(token.text) : "";
        })
        .join("");
}
