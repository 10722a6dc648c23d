import { step } from "./step.mjs";

const ORIGINS = { path: "from PATH", official: "official release", source: "built from source" };

/** Makes a Pulumi engine available and says which one is used, stand-ins included. */
export async function prepareEngine() {
    const { ensureEngine } = await import("../dist/engine/index.js");
    const engine = await step("preparing the Pulumi engine", () =>
        ensureEngine((line) => console.error(line)),
    );
    const standIns = engine.standIns.length === 0 ? "" : `, with ${engine.standIns.join(", ")}`;
    console.error(`engine: pulumi ${engine.version}, ${ORIGINS[engine.origin]}${standIns}`);
}
