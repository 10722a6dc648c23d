// Copies what the compiler does not: the template files, beside the compiled code that reads them.
import { cpSync, rmSync } from "node:fs";
import { repository } from "./setup/repository.mjs";

const target = repository("dist/templates/files");
rmSync(target, { recursive: true, force: true });
cpSync(repository("templates/files"), target, { recursive: true });
