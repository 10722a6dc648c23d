import { generateKeyPairSync, randomBytes } from "node:crypto";

import { expect, test } from "@jest/globals";

import { leaks, secretsOfState, secretsWithin } from "../../support/secrets";

// That the scanner of the engine's tests can fail.

const pem = (kind: "ec" | "rsa") =>
    (kind === "ec"
        ? generateKeyPairSync("ec", { namedCurve: "P-256" })
        : generateKeyPairSync("rsa", { modulusLength: 2048 })
    ).privateKey.export({ type: "pkcs8", format: "pem" }) as string;
const base64 = (text: string) => Buffer.from(text).toString("base64");
const kubeconfig = `users:\n- user:\n    client-key-data: "${base64(pem("ec"))}"\n`;

const secretTexts: [string, string][] = [
    ["an EC key", pem("ec")],
    ["an RSA key", pem("rsa")],
    ["a random text", randomBytes(32).toString("hex")],
    ["a kubeconfig", kubeconfig],
];
const hidings: [string, (text: string) => string][] = [
    ["as it is", (text) => text],
    ["in JSON", (text) => JSON.stringify({ text })],
    ["in base64", base64],
    ["one byte into base64", (text) => base64(`x${text}`)],
    ["two bytes into base64", (text) => base64(`xy${text}y`)],
];

test.each(
    secretTexts.flatMap(([what, text]) =>
        hidings.map(([how, hide]) => [what, how, hide(text), text] as const),
    ),
)("%s is found %s", (_what, _how, hidden, text) => {
    const secrets = secretsWithin(text, "test");
    expect(secrets.length).toBeGreaterThan(0);
    const found = leaks(secrets, [
        { name: "clean", text: pem("ec") + pem("rsa") },
        { name: "leaky", text: `before ${hidden} after` },
    ]);
    expect(found.length).toBeGreaterThan(0);
    expect(found.every((leak) => leak.endsWith("in leaky"))).toBe(true);
    expect(found.join()).not.toContain(secrets[0]!.text);
});

test("secrets of a state are found at any depth", () => {
    const token = randomBytes(32).toString("hex");
    const state = {
        resources: [{ urn: "u", outputs: { a: [{ plaintext: JSON.stringify({ b: token }) }] } }],
    };
    expect(secretsOfState(JSON.stringify(state))).toEqual([
        { kind: "random text of state outputs", text: token },
    ]);
});
