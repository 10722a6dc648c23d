import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

import { findChromium } from "../../support/browser";
import { type ExcloudStandIn, startExcloudStandIn } from "./support/excloud-stand-in";
import { Harness, type TestNode } from "./support/harness";
import {
    bootingCluster,
    expectedCluster,
    failedLog,
    runningCluster,
    startRollout,
} from "./support/scene";

const executablePath = findChromium();
if (executablePath === undefined) {
    console.warn("skipped: no Chromium on the path (Debian: apt-get install chromium)");
}

const operatorToken = "operator-token-of-the-browser-00000";
const desktop = { viewport: { width: 1440, height: 1000 } };
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true };
/** With UPDATE_PICTURES set, the pictures of the documentation are taken anew. */
const pictures = process.env["UPDATE_PICTURES"] ? join(__dirname, "../../../docs/images") : "";

/** What axe finds wrong with a page, as rules with what breaks them. */
async function violations(page: Page): Promise<string[]> {
    await page.evaluate(axe.source);
    const found = await page.evaluate<axe.AxeResults>("axe.run()");
    return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

/** The page as Chromium shows it, of a server with clusters in several states. */
(executablePath === undefined ? describe.skip : describe)("the page in Chromium", () => {
    let excloud: ExcloudStandIn;
    let harness: Harness;
    let browser: Browser;
    let booting: readonly TestNode[];

    beforeAll(async () => {
        excloud = await startExcloudStandIn();
        harness = await new Harness(excloud, { operatorToken }).start();
        const running = await runningCluster(harness, "acme/shop/production/cluster", 19);
        await startRollout(running.cluster, running.nodes);
        await expectedCluster(harness, "acme/lab/dev/cluster");
        booting = (await bootingCluster(harness, "acme/shop/staging/cluster")).nodes;
        await running.nodes[2]?.firstContact({ from: "127.0.0.7" });
        await harness.call("/bootstrap/control-plane/999999");
        browser = await chromium.launch({ ...(executablePath ? { executablePath } : {}) });
    });
    afterAll(async () => {
        await browser?.close();
        await harness.stop();
        await excloud.stop();
    });

    /** A page of its own that logs in by the form; fails a test that leaves an error in the console. */
    async function loggedIn<T>(
        options: BrowserContextOptions,
        work: (page: Page) => Promise<T>,
    ): Promise<T> {
        const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
        const errors: string[] = [];
        try {
            const page = await context.newPage();
            page.on("console", (message) => {
                if (message.type() === "error") {
                    errors.push(message.text());
                }
            });
            page.on("pageerror", (error) => errors.push(String(error)));
            await page.goto(harness.server.url);
            expect(new URL(page.url()).pathname).toBe("/login");
            await page.getByLabel("Operator's token").fill(operatorToken);
            await page.getByRole("button", { name: "Log in" }).click();
            await page.getByRole("heading", { name: "Last decisions" }).waitFor();
            const result = await work(page);
            expect(errors).toEqual([]);
            return result;
        } finally {
            await context.close();
        }
    }

    const nodeOf = (page: Page, cluster: string, slot: string) =>
        page
            .locator(".cluster", { hasText: cluster })
            .getByRole("article")
            .filter({ has: page.getByRole("heading", { name: slot, exact: true }) });

    // First, while little time has passed since the nodes' reports.
    if (pictures) {
        test.each(["light", "dark"] as const)("picture, %s", async (colorScheme) => {
            const viewport = { width: 1280, height: 880 };
            await loggedIn({ viewport, colorScheme }, async (page) => {
                await page.screenshot({
                    path: join(pictures, `bootstrap-page-${colorScheme}.png`),
                });
            });
        });
    }

    test("shows phases, states, generations, failures, certificates, decisions", async () => {
        await loggedIn(desktop, async (page) => {
            expect(await page.locator("#tally .badge").allTextContents()).toEqual([
                "1 failed",
                "2 booting",
                "1 applying",
                "1 expected",
                "2 healthy",
            ]);
            // Those in need of attention come first.
            expect(await page.locator(".cluster header .badge").first().textContent()).toBe(
                "Failed",
            );

            const failed = nodeOf(page, "shop/staging", "cp-3");
            expect(await failed.getByRole("listitem").allTextContents()).toEqual(
                expect.arrayContaining([expect.stringMatching(/install.*failed after 4\.2 s/s)]),
            );
            expect(await failed.locator("pre").textContent()).toBe(failedLog.join("\n"));
            expect(await failed.locator(".trouble").textContent()).toContain(
                "could not be unpacked",
            );

            const ahead = nodeOf(page, "shop/staging", "cp-1");
            const rows = await ahead.locator(".line li").all();
            const states = await Promise.all(rows.map((row) => row.getAttribute("class")));
            expect(states).toEqual([...Array<string>(6).fill("done"), "running", "open"]);
            expect(await ahead.locator(".line .took").first().textContent()).toBe("0.6 s");

            const waiting = nodeOf(page, "shop/production", "cp-2");
            expect(await waiting.locator("dl").textContent()).toMatch(/→.*waits for cp-1/s);
            await waiting.locator("summary").click();
            const ends = await waiting.locator("details li").allTextContents();
            expect(ends.map((end) => end.trim().split(/\s+/))).toEqual([
                ["/etc/kubernetes/pki/apiserver.crt", "in", "19", "days"],
                ["/etc/kubernetes/admin.conf", "in", "364", "days"],
                ["/etc/kubernetes/pki/ca.crt", "in", "3649", "days"],
            ]);
            const last = page.locator("#decisions tbody tr");
            expect(await last.nth(0).textContent()).toMatch(/Refused.*unknown node.*999999/s);
            expect(await last.nth(1).textContent()).toMatch(
                /source address mismatch.*127\.0\.0\.7/s,
            );
        });
    });

    test("follows reports without a reload, keeps what is open, and can be paused", async () => {
        await loggedIn(desktop, async (page) => {
            await page.evaluate("window.wasHere = true");
            const details = nodeOf(page, "lab/dev", "cp-1").locator("details");
            await details.locator("summary").click();
            await page.evaluate("document.activeElement.blur()");
            await booting[1]?.report("addons", "running");
            await nodeOf(page, "shop/staging", "cp-2")
                .locator(".line li.running", { hasText: "addons" })
                .waitFor();
            expect(await page.evaluate("window.wasHere")).toBe(true);
            expect(await details.getAttribute("open")).not.toBeNull();

            await page.getByRole("link", { name: "Pause" }).click();
            expect(await page.locator("script, noscript").count()).toBe(0);
            await page.getByRole("link", { name: "Resume" }).waitFor();
        });
    });

    test("works without script, and reloads itself then", async () => {
        await loggedIn({ ...desktop, javaScriptEnabled: false }, async (page) => {
            expect(await page.getByRole("article").count()).toBe(7);
            expect(await page.locator("meta[http-equiv=refresh]").count()).toBe(1);
            await page.getByRole("button", { name: "Log out" }).click();
            await page.getByLabel("Operator's token").waitFor();
            await page.goto(harness.server.url);
            expect(new URL(page.url()).pathname).toBe("/login");
        });
    });

    test.each([
        ["desktop, light", { ...desktop }],
        ["desktop, dark", { ...desktop, colorScheme: "dark" as const }],
        ["phone", { ...phone }],
    ])("%s: nothing overflows, and axe finds nothing", async (_name, options) => {
        await loggedIn(options, async (page) => {
            const wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
            expect(wide).toBeLessThanOrEqual(0);
            expect(await violations(page)).toEqual([]);
        });
    });

    test("hostile texts of nodes and callers stay texts", async () => {
        const attack =
            "</pre><script>window.hacked = 1</script><img src=x onerror='hacked = 1'>{{ 7 * 7 }}";
        const { nodes } = await bootingCluster(harness, `"><script>window.hacked = 1</script>`);
        const cluster = nodes[0]?.cluster;
        await nodes[0]?.report("kubelet", "failed", {
            message: attack,
            log_tail: [attack, "\u202e"],
        });
        await harness.call(
            `/bootstrap/${encodeURIComponent("<script>")}/${encodeURIComponent("<svg onload=hacked=1>")}`,
        );
        await loggedIn(desktop, async (page) => {
            await page.locator(".trouble", { hasText: attack }).first().waitFor();
            expect(await page.locator("#decisions tbody tr").first().textContent()).toContain(
                "<svg onload=hacked=1>",
            );
            expect(await page.evaluate("window.hacked")).toBeUndefined();
            expect(await page.locator("script").count()).toBe(1);
            expect(
                await page.locator("[onerror], [onload], img:not([src='/page/icon.svg'])").count(),
            ).toBe(0);
        });
        await cluster?.operator("", { method: "DELETE" });
    });
});
