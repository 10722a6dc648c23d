// Makes the types of packages name the contract by relative paths: the old way of finding modules, which
// `pulumi new` still sets, does not know imports that begin with "#".
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

import { repository } from "./setup/repository.mjs";

for (const name of ["bootstrap-server", "local-cloud"]) {
    const dist = repository(join(name, "dist"));
    const types = readdirSync(dist, { recursive: true }).filter((file) => file.endsWith(".d.ts"));
    for (const file of types.map((found) => join(dist, found))) {
        const text = readFileSync(file, "utf8");
        const contract = relative(dirname(file), join(dist, "contract")).replaceAll("\\", "/");
        const path = contract.startsWith(".") ? contract : `./${contract}`;
        if (text.includes('"#contract/')) {
            writeFileSync(file, text.replaceAll('"#contract/', `"${path}/`));
        }
    }
}
