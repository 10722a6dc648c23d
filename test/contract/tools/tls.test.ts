import { execFileSync, spawn } from "node:child_process";
import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import * as path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";

import { type PluginProcess, STAND_INS, startPlugin } from "./plugin-process";

type Properties = Record<string, JavaScriptValue>;

const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const struct = (properties: Properties): Struct => Struct.fromJavaScript(properties);
const urn = (type: string): string =>
    `urn:pulumi:dev::demo::tls:index/${type.charAt(0).toLowerCase()}${type.slice(1)}:${type}::one`;

/** A test that compares with another implementation, where the machine has it. */
const testWith = (tool: "openssl" | "ssh-keygen"): typeof test.skip => {
    const folders = (process.env["PATH"] ?? "").split(path.delimiter);
    return folders.some((folder) => existsSync(path.join(folder, tool))) ? test : test.skip;
};

let plugin: PluginProcess;
beforeAll(async () => {
    plugin = await startPlugin("tls", ["127.0.0.1:1"]);
});
afterAll(() => plugin.stop());

interface Resource {
    readonly type: string;
    readonly id: string;
    readonly inputs: Properties;
    readonly outputs: Record<string, string & JavaScriptValue>;
}

async function create(type: string, inputs: Properties): Promise<Resource> {
    const request = new provider.CreateRequest();
    request.setUrn(urn(type));
    request.setProperties(struct(inputs));
    const response = await plugin.call(ResourceProviderService.create, request);
    const outputs = response.getProperties()?.toJavaScript() as Resource["outputs"];
    return { type, id: response.getId(), inputs, outputs };
}

async function diff(old: Resource, news: Properties): Promise<provider.DiffResponse.AsObject> {
    const request = new provider.DiffRequest();
    request.setUrn(urn(old.type));
    request.setId(old.id);
    request.setOlds(struct(old.outputs));
    request.setOldInputs(struct(old.inputs));
    request.setNews(struct(news));
    return (await plugin.call(ResourceProviderService.diff, request)).toObject();
}

const privateKey = (inputs: Properties): Promise<Resource> => create("PrivateKey", inputs);

async function authority(key: Resource, inputs: Properties = {}): Promise<Resource> {
    return await create("SelfSignedCert", {
        privateKeyPem: key.outputs["privateKeyPem"] ?? "",
        isCaCertificate: true,
        validityPeriodHours: 1000,
        allowedUses: ["cert_signing", "crl_signing", "digital_signature"],
        subject: { commonName: "ca", organization: "Example" },
        ...inputs,
    });
}

async function leaf(
    ca: { key: Resource; cert: Resource },
    key: Resource,
    inputs: Properties = {},
): Promise<Resource> {
    const request = await create("CertRequest", {
        privateKeyPem: key.outputs["privateKeyPem"] ?? "",
        subject: { commonName: "system:node:cp-1", organization: "system:nodes" },
        dnsNames: ["cp-1.cluster-42.internal", "localhost"],
        ipAddresses: ["10.0.1.5", "127.0.0.1", "::1"],
        uris: ["spiffe://example/node"],
    });
    return await create("LocallySignedCert", {
        certRequestPem: request.outputs["certRequestPem"] ?? "",
        caCertPem: ca.cert.outputs["certPem"] ?? "",
        caPrivateKeyPem: ca.key.outputs["privateKeyPem"] ?? "",
        validityPeriodHours: 100,
        allowedUses: ["digital_signature", "key_encipherment", "server_auth", "client_auth"],
        ...inputs,
    });
}

const EXAMPLES: [string, Properties][] = [
    ["RSA", { algorithm: "RSA" }],
    ["P-256", { algorithm: "ECDSA", ecdsaCurve: "P256" }],
    ["P-384", { algorithm: "ECDSA", ecdsaCurve: "P384" }],
    ["P-521", { algorithm: "ECDSA", ecdsaCurve: "P521" }],
    ["Ed25519", { algorithm: "ED25519" }],
];

describe.each(EXAMPLES)("chain with %s", (_, keyInputs) => {
    let ca: { key: Resource; cert: Resource };
    let certificate: Resource;
    beforeAll(async () => {
        const [caKey, leafKey] = await Promise.all([privateKey(keyInputs), privateKey(keyInputs)]);
        ca = { key: caKey, cert: await authority(caKey) };
        certificate = await leaf(ca, leafKey);
    });

    test("verifies", () => {
        const root = new X509Certificate(ca.cert.outputs["certPem"] ?? "");
        const issued = new X509Certificate(certificate.outputs["certPem"] ?? "");
        expect(root.ca).toBe(true);
        expect(root.checkIssued(root)).toBe(true);
        expect(root.verify(root.publicKey)).toBe(true);
        expect(issued.ca).toBe(false);
        expect(issued.checkIssued(root)).toBe(true);
        expect(issued.verify(root.publicKey)).toBe(true);
        expect(root.verify(issued.publicKey)).toBe(false);
    });

    testWith("openssl")("passes OpenSSL's strict rules, and its requests are well formed", () => {
        const folder = mkdtempSync(path.join(tmpdir(), "tls-test-"));
        try {
            const [root, issued] = [path.join(folder, "ca.pem"), path.join(folder, "leaf.pem")];
            writeFileSync(root, ca.cert.outputs["certPem"] ?? "");
            writeFileSync(issued, certificate.outputs["certPem"] ?? "");
            const verified = execFileSync(
                "openssl",
                ["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", root, issued],
                { encoding: "utf8" },
            );
            expect(verified).toContain("OK");
            const request = execFileSync("openssl", ["req", "-verify", "-noout"], {
                input: certificate.inputs["certRequestPem"] as string,
                encoding: "utf8",
                stdio: "pipe",
            });
            expect(request).not.toContain("failure");
        } finally {
            rmSync(folder, { recursive: true, force: true });
        }
    });

    test("key forms belong together", () => {
        const { outputs } = ca.key;
        const spki = { format: "pem", type: "spki" } as const;
        for (const form of ["privateKeyPem", "privateKeyPemPkcs8"]) {
            const publicPem = createPublicKey(createPrivateKey(outputs[form] ?? "")).export(spki);
            expect(publicPem).toBe(outputs["publicKeyPem"]);
        }
    });

    testWith("ssh-keygen")("OpenSSH reads its forms", () => {
        const folder = mkdtempSync(path.join(tmpdir(), "tls-test-"));
        try {
            const file = path.join(folder, "key");
            writeFileSync(file, ca.key.outputs["privateKeyOpenssh"] ?? "", { mode: 0o600 });
            const derived = execFileSync("ssh-keygen", ["-y", "-f", file], { encoding: "utf8" });
            expect(derived).toBe(ca.key.outputs["publicKeyOpenssh"]);
        } finally {
            rmSync(folder, { recursive: true, force: true });
        }
    });
});

describe("certificates", () => {
    let ca: { key: Resource; cert: Resource };
    let certificate: Resource;
    beforeAll(async () => {
        const key = await privateKey({ algorithm: "ECDSA", ecdsaCurve: "P256" });
        ca = { key, cert: await authority(key) };
        certificate = await leaf(ca, key, { earlyRenewalHours: 10 });
    });

    test("carry subject, alternative names and usages", () => {
        const issued = new X509Certificate(certificate.outputs["certPem"] ?? "");
        expect(issued.subject).toBe("O=system:nodes\nCN=system:node:cp-1");
        expect(issued.subjectAltName).toBe(
            [
                "DNS:cp-1.cluster-42.internal, DNS:localhost",
                "IP Address:10.0.1.5, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1",
                "URI:spiffe://example/node",
            ].join(", "),
        );
        expect(issued.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
    });

    testWith("openssl")(
        "have the extensions of the official plugin, critical where it makes them so",
        () => {
            const shown = (pem: string | undefined): string =>
                execFileSync("openssl", ["x509", "-noout", "-text"], {
                    input: pem ?? "",
                    encoding: "utf8",
                }).replace(/\s+/g, " ");
            const issued = shown(certificate.outputs["certPem"]);
            expect(issued).toContain(
                "X509v3 Key Usage: critical Digital Signature, Key Encipherment " +
                    "X509v3 Extended Key Usage: TLS Web Server Authentication, TLS Web Client Authentication " +
                    "X509v3 Basic Constraints: critical CA:FALSE " +
                    "X509v3 Authority Key Identifier:",
            );
            expect(issued).not.toContain("Subject Key Identifier");
            const root = shown(ca.cert.outputs["certPem"]);
            expect(root).toContain(
                "Basic Constraints: critical CA:TRUE X509v3 Subject Key Identifier",
            );
            expect(root).not.toContain("Authority Key Identifier");
        },
    );

    testWith("openssl")("optional extensions on request", async () => {
        const root = await authority(ca.key, {
            maxPathLength: 0,
            setAuthorityKeyId: true,
            setSubjectKeyId: true,
        });
        const text = execFileSync("openssl", ["x509", "-noout", "-text"], {
            input: root.outputs["certPem"] ?? "",
            encoding: "utf8",
        });
        expect(text).toMatch(/CA:TRUE, pathlen:0/);
        const ids = [...text.matchAll(/Key Identifier:\s*(?:keyid:)?([0-9A-F:]+)/g)];
        expect(ids).toHaveLength(2);
        expect(ids[0]?.[1]).toBe(ids[1]?.[1]);
    });

    test("have outputs with defaults, and times that agree with the certificate", () => {
        expect(certificate.outputs).toMatchObject({
            caKeyAlgorithm: "ECDSA",
            earlyRenewalHours: 10,
            isCaCertificate: false,
            maxPathLength: -1,
            readyForRenewal: false,
            setSubjectKeyId: false,
        });
        const issued = new X509Certificate(certificate.outputs["certPem"] ?? "");
        const { validityStartTime, validityEndTime } = certificate.outputs;
        expect(validityStartTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
        expect(Date.parse(issued.validFrom)).toBe(Date.parse(validityStartTime ?? ""));
        expect(Date.parse(issued.validTo)).toBe(Date.parse(validityEndTime ?? ""));
        expect(Date.parse(issued.validTo) - Date.parse(issued.validFrom)).toBe(100 * 3_600_000);
        expect(BigInt(`0x${issued.serialNumber}`).toString()).toBe(certificate.id);
        expect(certificate.outputs["certPem"]).toMatch(/^[^\r]*-----END CERTIFICATE-----\n$/);
    });

    test("have positive serials, none twice", async () => {
        const many = await Promise.all(Array.from({ length: 30 }, () => leaf(ca, ca.key)));
        const serials = many.map(
            ({ outputs }) => new X509Certificate(outputs["certPem"] ?? "").serialNumber,
        );
        expect(new Set(serials).size).toBe(serials.length);
        expect(serials.filter((serial) => !/^[4-7][0-9A-F]{31}$/.test(serial))).toEqual([]);
    });

    test("are replaced once renewal is due, and not before", async () => {
        const early = (hours: number): Properties => ({
            ...certificate.inputs,
            earlyRenewalHours: hours,
        });
        expect(await diff(certificate, early(10))).toMatchObject({ changes: 1, replacesList: [] });
        expect(await diff(certificate, early(20))).toMatchObject({
            changes: 2,
            diffsList: ["earlyRenewalHours"],
            replacesList: [],
        });
        expect(await diff(certificate, early(100))).toMatchObject({
            changes: 2,
            replacesList: ["readyForRenewal"],
        });
    });

    test("show an unknown input as a replacement, and are not made from it", async () => {
        const news = { ...certificate.inputs, certRequestPem: UNKNOWN };
        expect(await diff(certificate, news)).toMatchObject({ replacesList: ["certRequestPem"] });
        await expect(create("LocallySignedCert", news)).rejects.toThrow(/certRequestPem/);
    });

    test("read refreshes the state and cannot import", async () => {
        const request = new provider.ReadRequest();
        request.setUrn(urn(certificate.type));
        request.setId(certificate.id);
        await expect(plugin.call(ResourceProviderService.read, request)).rejects.toThrow(
            /cannot be imported/,
        );
        request.setProperties(struct(certificate.outputs));
        request.setInputs(struct({ ...certificate.inputs, earlyRenewalHours: 100 }));
        const read = await plugin.call(ResourceProviderService.read, request);
        expect(read.getProperties()?.toJavaScript()).toEqual({
            ...certificate.outputs,
            readyForRenewal: true,
        });
    });
});

describe("keys", () => {
    test("the default curve makes a key without OpenSSH forms, which cannot sign", async () => {
        const key = await privateKey({ algorithm: "ECDSA" });
        expect(key.outputs).toMatchObject({
            ecdsaCurve: "P224",
            rsaBits: 2048,
            publicKeyOpenssh: "",
        });
        await expect(authority(key)).rejects.toThrow(/name the curve/);
    });

    test("no message repeats a key that cannot be read", async () => {
        const text = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n";
        const attempt = create("CertRequest", { privateKeyPem: text });
        await expect(attempt).rejects.toThrow(/privateKeyPem is not a private key/);
        await expect(attempt).rejects.not.toThrow(/c2VjcmV0/);
    });

    test("check refuses what the provider would", async () => {
        const request = new provider.CheckRequest();
        request.setUrn(urn("PrivateKey"));
        request.setNews(struct({ algorithm: "DSA" }));
        const response = await plugin.call(ResourceProviderService.check, request);
        expect(response.toObject().failuresList).toEqual([
            { property: "algorithm", reason: '"DSA" is not one of RSA, ECDSA, ED25519' },
        ]);
    });
});

test("configuration asks for plain secrets and no previews", async () => {
    const response = await plugin.call(
        ResourceProviderService.configure,
        new provider.ConfigureRequest(),
    );
    expect(response.toObject()).toMatchObject({ acceptsecrets: false, supportspreview: false });
});

test("the plugin ends when the engine is killed", async () => {
    const main = path.join(STAND_INS, "tls", "main.js");
    const starter = `
        const plugin = require("node:child_process").spawn(process.execPath, [${JSON.stringify(main)}, "x"]);
        plugin.stdout.pipe(process.stdout);`;
    const engine = spawn(process.execPath, ["-e", starter], {
        stdio: ["ignore", "pipe", "inherit"],
    });
    const [port] = (await once(createInterface(engine.stdout), "line")) as [string];
    expect(await isListening(Number(port))).toBe(true);
    engine.kill("SIGKILL");
    while (await isListening(Number(port))) {
        await sleep(100);
    }
});

async function isListening(port: number): Promise<boolean> {
    const socket = connect(port, "127.0.0.1");
    try {
        await once(socket, "connect");
        return true;
    } catch {
        return false;
    } finally {
        socket.destroy();
    }
}
