// Completes package-lock.json: `node tools/complete-lock.mjs` after every `npm install`.
//
// npm leaves packages for other platforms out of the lock file when the registry in use does not
// have them, and then `npm ci` refuses the lock file everywhere. This puts them back, with the
// platform that their names say, so that they are installed only where they fit.
import { writeFileSync } from "node:fs";
import { absentOptionalPackages } from "./setup/lock-file.mjs";
import { readJson, repository } from "./setup/repository.mjs";

const lock = readJson("package-lock.json");
const absent = absentOptionalPackages(lock);
const packages = Object.entries({ ...lock.packages, ...absent });
lock.packages = Object.fromEntries(packages.sort(([a], [b]) => a.localeCompare(b, "en")));
writeFileSync(repository("package-lock.json"), `${JSON.stringify(lock, null, 4)}\n`);
console.log(`${Object.keys(absent).length} packages put back into package-lock.json`);
