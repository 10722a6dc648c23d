// Copies what the compiler does not, beside the compiled code that reads it: template files and scripts.
import { cpSync, readdirSync, rmSync } from "node:fs";

import { repository } from "./setup/repository.mjs";

const target = repository("dist/templates");
for (const name of readdirSync(target, { recursive: true })) {
    if (name.endsWith(".njk")) {
        rmSync(`${target}/${name}`);
    }
}
cpSync(repository("templates"), target, {
    recursive: true,
    filter: (name) => !name.endsWith(".ts"),
});
cpSync(
    repository("local-cloud/src/real/boot-node.sh"),
    repository("local-cloud/dist/real/boot-node.sh"),
);
