import { join } from "node:path";

import AnsiUp from "ansi_up";
import { chromium } from "playwright-core";

import { REPOSITORY } from "../../../tools/engine/repository";
import { findChromium } from "../../support/browser";

const colors = {
    light: {
        page: "#ffffff",
        text: "#1f2328",
        green: "#116329",
        cyan: "#1b7c83",
        magenta: "#8250df",
    },
    dark: {
        page: "#0d1117",
        text: "#e6edf3",
        green: "#56d364",
        cyan: "#56d4dd",
        magenta: "#d2a8ff",
    },
} as const;

/** Takes the README's pictures of a terminal, light and dark, with this machine's Chromium. */
export async function takePictures(text: string): Promise<void> {
    const ansi = new AnsiUp();
    ansi.use_classes = true;
    const body = `<pre>${ansi.ansi_to_html(text)}</pre>`;
    const browser = await chromium.launch({ executablePath: findChromium() ?? "" });
    try {
        for (const [scheme, { page: background, text: color, ...palette }] of Object.entries(
            colors,
        )) {
            const page = await browser.newPage({ deviceScaleFactor: 1.5 });
            const classes = Object.entries(palette).map(
                ([name, value]) => `.ansi-${name}-fg, .ansi-bright-${name}-fg { color: ${value} }`,
            );
            await page.setContent(
                `<style>
                    body { margin: 0; background: ${background} }
                    pre { display: inline-block; margin: 0; padding: 16px; font: 13px/1.45 monospace;
                          background: ${background}; color: ${color} }
                    ${classes.join("\n")}
                </style>${body}`,
            );
            const path = join(REPOSITORY, `docs/images/up-${scheme}.png`);
            await page.locator("pre").screenshot({ path });
        }
    } finally {
        await browser.close();
    }
}
