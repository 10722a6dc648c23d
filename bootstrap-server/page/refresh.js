// Keeps the page fresh without a flicker: takes the parts below from the page as it is now. Without
// this script the page reloads itself.
"use strict";

const parts = ["freshness", "tally", "clusters", "decisions"];
const intervalMs = 2000;

/** What a reader has opened, focused or scrolled stays so. */
function keepPlace(part, fresh) {
    for (const open of part.querySelectorAll("details[open]")) {
        fresh.querySelector(`#${CSS.escape(open.id)}`)?.setAttribute("open", "");
    }
}

function replacePart(id, page) {
    const part = document.getElementById(id);
    const fresh = page.getElementById(id);
    if (!fresh || part.outerHTML === fresh.outerHTML) {
        return;
    }
    // Whoever reads or selects something in it is not disturbed.
    if (part.contains(document.activeElement)) {
        return;
    }
    const selection = document.getSelection();
    if (!selection.isCollapsed && selection.containsNode(part, true)) {
        return;
    }
    keepPlace(part, fresh);
    part.replaceWith(fresh);
}

async function refresh() {
    if (document.hidden) {
        return;
    }
    const lost = document.getElementById("lost");
    try {
        const response = await fetch("/", { signal: AbortSignal.timeout(10_000) });
        // Logged out, or the login has ended.
        if (response.redirected) {
            return location.assign(response.url);
        }
        if (!response.ok) {
            throw new Error(`status ${response.status}`);
        }
        const page = new DOMParser().parseFromString(await response.text(), "text/html");
        for (const id of parts) {
            replacePart(id, page);
        }
        lost.hidden = true;
    } catch {
        lost.hidden = false;
    }
}

(async () => {
    for (;;) {
        await new Promise((resolve) => setTimeout(resolve, intervalMs));
        await refresh();
    }
})();
