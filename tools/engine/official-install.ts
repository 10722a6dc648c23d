/**
 * Installs an official Pulumi release with the SDK's own installer.
 * Arguments: the folder to install into, the version.
 */
import { PulumiCommand } from "@pulumi/pulumi/automation";
import { SemVer } from "semver";

const [root, version] = process.argv.slice(2);
if (root === undefined || version === undefined) {
    throw new Error("usage: official-install <folder> <version>");
}
PulumiCommand.install({ root, version: new SemVer(version) }).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
});
