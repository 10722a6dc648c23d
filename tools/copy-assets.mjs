// Copies what the compiler does not, beside the compiled code that reads it: template files and scripts.
import { cpSync, rmSync } from "node:fs";
import { repository } from "./setup/repository.mjs";

const target = repository("dist/templates/files");
rmSync(target, { recursive: true, force: true });
cpSync(repository("templates/files"), target, { recursive: true });
cpSync(
    repository("local-cloud/src/real/boot-node.sh"),
    repository("local-cloud/dist/real/boot-node.sh"),
);
