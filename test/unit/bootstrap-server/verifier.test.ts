import { expect, test } from "@jest/globals";

import { type Excloud, ExcloudUnavailable } from "../../../bootstrap-server/src/excloud";
import { sha256 } from "../../../bootstrap-server/src/secrets";
import { selfHostedVerifier } from "../../../bootstrap-server/src/verify/self-hosted";
import type { RequestFacts } from "../../../bootstrap-server/src/verify/verifier";

const facts: RequestFacts = {
    vmId: 7,
    sourceAddress: "10.0.0.5",
    accessToken: "token",
    slotSecret: "secret",
    imdsToken: undefined,
    slotSecretSha256: sha256("secret"),
    clusterOrgId: 5,
};
const cloud: Excloud = {
    me: () => Promise.resolve({ orgId: 5, kind: "machine", vmId: 7 }),
    vmAddresses: () => Promise.resolve(["10.0.0.5", "2001:db8::5"]),
};
const me = (more: object): Partial<Excloud> => ({
    me: () => Promise.resolve({ orgId: 5, kind: "machine", ...more }),
});
const verify = (changed: Partial<RequestFacts>, answers: Partial<Excloud> = {}) =>
    selfHostedVerifier({ ...cloud, ...answers }).verify({ ...facts, ...changed });

test("a node that proves everything is who it says", async () => {
    const identity = { verified: true, vmId: 7, orgId: 5 };
    expect(await verify({})).toEqual(identity);
    expect(await verify({ sourceAddress: "::ffff:10.0.0.5" })).toEqual(identity);
    expect(await verify({ sourceAddress: "2001:DB8:0::5" })).toEqual(identity);
    expect(await verify({}, me({}))).toEqual(identity);
});

/** One check per line: with it taken out, its line is verified and the test fails. */
test.each<[string, Partial<RequestFacts>, Partial<Excloud>]>([
    ["missing_factor", { accessToken: undefined }, {}],
    ["missing_factor", { slotSecret: undefined }, {}],
    ["slot_secret_mismatch", { slotSecret: "Secret" }, {}],
    ["slot_secret_mismatch", { slotSecretSha256: undefined }, {}],
    ["access_token_rejected", {}, { me: () => Promise.resolve(undefined) }],
    ["not_a_machine", {}, me({ kind: "user" })],
    ["not_a_machine", {}, me({ kind: "" })],
    ["other_organisation", {}, me({ orgId: 6 })],
    ["other_organisation", { clusterOrgId: undefined }, {}],
    ["other_vm", {}, me({ vmId: 8 })],
    ["vm_not_found", {}, { vmAddresses: () => Promise.resolve(undefined) }],
    ["source_address_mismatch", { sourceAddress: "10.0.0.6" }, {}],
    ["source_address_mismatch", {}, { vmAddresses: () => Promise.resolve([]) }],
    ["excloud_unavailable", {}, { me: () => Promise.reject(new ExcloudUnavailable("me", "503")) }],
])("refuses: %s", async (reason, changed, answers) => {
    expect(await verify(changed, answers)).toEqual({ verified: false, reason });
});
