import { createRequire } from "node:module";

const manifest = createRequire(__filename)("excloud-k8s/package.json") as { version: string };

/** Version of this package, and of the bootstrap server that is released with it. */
export const packageVersion = manifest.version;
