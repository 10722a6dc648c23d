import { readFileSync } from "node:fs";
import * as path from "node:path";

import { describe, expect, test } from "@jest/globals";

import { TLS_PLUGIN_VERSION } from "../../../tools/engine/version";
import { ALLOWED_USES } from "../../../tools/stand-ins/tls/certificate";
import { SUBJECT_ATTRIBUTES, TLS_PLUGIN } from "../../../tools/stand-ins/tls/names";
import { TLS_RESOURCES } from "../../../tools/stand-ins/tls/resources";

const SDK = path.dirname(require.resolve("@pulumi/tls/package.json"));

const text = (file: string): string => readFileSync(path.join(SDK, file), "utf8");

/** Names of the properties of an interface in a declaration file of the published SDK. */
function propertiesOf(file: string, name: string): string[] {
    const body = new RegExp(`interface ${name} \\{(.*?)\\n\\}`, "s").exec(text(file))?.[1] ?? "";
    return [...body.matchAll(/^ {4}(\w+)\??:/gm)].map(([, property]) => property ?? "").sort();
}

const sorted = (...lists: (readonly string[])[]): string[] => lists.flat().sort();

describe("the stand-in for the tls plugin has the names of the published SDK", () => {
    test.each(Object.entries(TLS_RESOURCES))("%s", (type, resource) => {
        const file = `${type.charAt(0).toLowerCase()}${type.slice(1)}.d.ts`;
        expect(sorted(resource.inputs, resource.unsupported)).toEqual(
            propertiesOf(file, `${type}Args`),
        );
        expect(sorted(resource.inputs, resource.unsupported, resource.outputs)).toEqual(
            propertiesOf(file, `${type}State`),
        );
    });

    test("every resource class of the SDK", () => {
        const classes = [...text("index.d.ts").matchAll(/export type (\w+) = import/g)];
        const resources = classes.map(([, name]) => name).filter((name) => name !== "Provider");
        expect(Object.keys(TLS_RESOURCES).sort()).toEqual(resources.sort());
    });

    test("attributes of a subject", () => {
        expect(Object.keys(SUBJECT_ATTRIBUTES).sort()).toEqual(
            propertiesOf("types/input.d.ts", "CertRequestSubject"),
        );
    });

    test("allowed uses, which the SDK's documentation writes in camel case", () => {
        const documented =
            /Accepted values: (.*?)\.$/m.exec(text("selfSignedCert.d.ts"))?.[1] ?? "";
        const names = [...documented.matchAll(/`(\w+)`/g)].map(([, name]) => name ?? "");
        const camelCase = (name: string): string =>
            name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
        expect(ALLOWED_USES.map(camelCase).sort()).toEqual(names.sort());
    });

    test("version", () => {
        const { version } = JSON.parse(text("package.json")) as { version: string };
        expect(TLS_PLUGIN.version).toBe(version);
        expect(TLS_PLUGIN_VERSION).toBe(version);
    });
});
