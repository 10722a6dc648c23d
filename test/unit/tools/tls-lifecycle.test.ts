import { describe, expect, test } from "@jest/globals";

import { UNKNOWN_VALUE } from "../../../tools/stand-ins/plugin/properties";
import { refuseUnknown } from "../../../tools/stand-ins/plugin/provider";
import {
    differenceOf,
    failuresOf,
    refreshedOutputs,
    updatedOutputs,
} from "../../../tools/stand-ins/tls/lifecycle";
import { TLS_RESOURCES } from "../../../tools/stand-ins/tls/resources";

const HOUR = 3_600_000;
const certificate = TLS_RESOURCES["SelfSignedCert"]!;
const inputs = {
    privateKeyPem: "key",
    validityPeriodHours: 10,
    earlyRenewalHours: 1,
    allowedUses: ["cert_signing"],
};
const endingIn = (hours: number): Record<string, unknown> => ({
    ...inputs,
    readyForRenewal: false,
    isCaCertificate: false,
    validityEndTime: new Date(Date.now() + hours * HOUR).toISOString(),
});

describe("difference", () => {
    const differ = (outputs: Record<string, unknown>, news: Record<string, unknown>): unknown =>
        differenceOf(certificate, { inputs, outputs }, news);

    test("same inputs: nothing, whatever defaults the outputs hold", () => {
        expect(differ(endingIn(5), inputs)).toEqual({ changed: [], replacing: [] });
    });
    test("another input replaces", () => {
        expect(differ(endingIn(5), { ...inputs, validityPeriodHours: 20 })).toEqual({
            changed: ["validityPeriodHours"],
            replacing: ["validityPeriodHours"],
        });
    });
    test("early renewal that does not fall due updates in place", () => {
        expect(differ(endingIn(5), { ...inputs, earlyRenewalHours: 2 })).toEqual({
            changed: ["earlyRenewalHours"],
            replacing: [],
        });
    });
    test.each([
        ["within early renewal", 0.5, inputs],
        ["expired", -1, inputs],
        ["made due by a longer early renewal", 5, { ...inputs, earlyRenewalHours: 6 }],
    ])("renewal replaces: %s", (_, hours, news) => {
        expect(differ(endingIn(hours), news)).toMatchObject({ replacing: ["readyForRenewal"] });
    });
    test("an unknown input counts as changed", () => {
        expect(differ(endingIn(5), { ...inputs, privateKeyPem: UNKNOWN_VALUE })).toMatchObject({
            replacing: ["privateKeyPem"],
        });
    });
});

describe("outputs", () => {
    test("readiness for renewal follows the clock", () => {
        expect(refreshedOutputs(endingIn(5), inputs)["readyForRenewal"]).toBe(false);
        expect(refreshedOutputs(endingIn(0.5), inputs)["readyForRenewal"]).toBe(true);
        expect(refreshedOutputs({ publicKeyPem: "x" }, {})).toEqual({ publicKeyPem: "x" });
    });
    test("an update keeps the certificate and takes the new early renewal", () => {
        expect(
            updatedOutputs(certificate, endingIn(5), { ...inputs, earlyRenewalHours: 2 }),
        ).toMatchObject({ earlyRenewalHours: 2, isCaCertificate: false, readyForRenewal: false });
    });
});

describe("check", () => {
    test.each([
        [{ ...inputs, privateKeyPem: undefined }, "privateKeyPem", /missing/],
        [{ ...inputs, allowedUses: ["certSigning"] }, "allowedUses", /cert_signing/],
        [{ ...inputs, privateKeyPemWo: "key" }, "privateKeyPemWo", /does not support/],
    ])("refuses and names the property", (news, property, reason) => {
        expect(failuresOf(certificate, news)).toEqual([
            { property, reason: expect.stringMatching(reason) },
        ]);
    });
    test("accepts unknown values, which a create refuses", () => {
        const news = { ...inputs, allowedUses: [UNKNOWN_VALUE] };
        expect(failuresOf(certificate, news)).toEqual([]);
        expect(() => refuseUnknown(news)).toThrow(/allowedUses/);
    });
});
