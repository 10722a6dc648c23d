import { runQuietly } from "./command.mjs";
import { step } from "./step.mjs";

/** Compiles what has changed since the last time, with `npm run build`. */
export function compile() {
    return step("compiling", () => runQuietly("npm", ["run", "build", "--silent"]));
}
