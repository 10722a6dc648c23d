import { expect, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import * as fc from "fast-check";

import { type ExcloudK8sClusterArgs, InvalidArgumentsError } from "../../../components";
import { fields } from "../../../components/fields";
import { isFull } from "../../support/sample";
import { seed } from "../../support/seed";
import { goodArgs, runProgram } from "./support";

// Whatever arguments a program gives, it plans a cluster or is told which arguments are bad. An error of
// another kind, in the program or in what it computes later, fails the test or ends its process.

const pem = (what: string) => `-----BEGIN ${what}-----\nAA==\n-----END ${what}-----\n`;
const authority = fc.record({
    certPem: fc.constant(pem("CERTIFICATE")),
    keyPem: fc.constant(pem("EC PRIVATE KEY")),
});
const some = <T>(...values: T[]) => fc.constantFrom(...values);
const flags = fc.dictionary(some("v", "vmodule", "goaway-chance"), some("4", "true", ""));
const configuration = fc.dictionary(
    some("maxPods", "featureGates", "hubble", "__proto__", "kind"),
    fc.jsonValue({ maxDepth: 2 }),
);
const group = (members: Record<string, fc.Arbitrary<unknown>>) =>
    fc.record(members, { requiredKeys: [] });

/** Values that a user could give, for every argument: the type makes this complete. */
const sensible: Record<keyof ExcloudK8sClusterArgs, fc.Arbitrary<unknown>> = {
    controlPlaneCount: some(1, 3),
    controlPlaneImageId: fc.nat({ max: 99 }),
    controlPlaneInstanceType: some("t1a.medium", "m1.large"),
    subnetId: some(1, 5),
    zoneId: some(1, 2),
    securityGroupIds: some([], [7], [7, 8]),
    apiServerAllowedCidrs: some(["0.0.0.0/0"], ["10.0.0.0/8", "192.0.2.0/24"], []),
    allocatePublicIpv4: fc.boolean(),
    sshPubkey: some("", "ssh-ed25519 AAAA a@b", "my-key"),
    rootVolumeSizeGib: some(10, 40, 9),
    bootstrap: some(goodArgs.bootstrap, { operatorUrl: "https://[::1]:8443" }),
    kubernetesVersion: some("v1.35.0", "v1.34.9", "v1.33.1"),
    serviceCidr: some("10.96.0.0/12", "172.20.0.0/16", "10.244.0.0/24"),
    podCidr: some("10.244.0.0/16", "10.0.0.0/8", "10.96.0.0/16"),
    clusterDomain: some("cluster.local", "k8s.internal"),
    podNetwork: some("cilium", "bridge", "none"),
    dnsZone: some("example.org", "k8s.excloud.co.in"),
    extraSans: some([], ["api.example.org", "192.0.2.1"], ["*.example.org"]),
    apiServerExtraArgs: flags,
    controllerManagerExtraArgs: flags,
    schedulerExtraArgs: flags,
    etcdExtraArgs: flags,
    kubeletExtraArgs: flags,
    kubeletConfiguration: configuration,
    kubeProxyConfiguration: configuration,
    ciliumValues: configuration,
    certificates: group({
        keyAlgorithm: some("ECDSA", "RSA"),
        validityDays: some(1, 30, 365),
        renewBeforeDays: some(0, 29, 90),
        authorities: group({ cluster: authority, etcd: authority, frontProxy: authority }),
    }),
    mirrors: group({
        binaries: some("", "https://mirror.example"),
        images: some("https://registry.example:5000", "/somewhere"),
        charts: some("oci://charts.example/cilium", "https://charts.example", "/charts"),
        packages: some("http://deb.example"),
    }),
    replaceNodes: some([], ["cp-1"], ["cp-3"]),
    replaceWithoutQuorum: fc.boolean(),
    deletionProtection: fc.boolean(),
    adopt: group({ securityGroupId: some(7), controlPlaneVmIds: some({}, { "cp-1": 9 }) }),
    timeouts: group({ vmCreate: some(1), vmDelete: some(60), ready: some(1800) }),
};

const hostile: fc.Arbitrary<unknown> = fc.oneof(
    some<unknown>(
        null,
        NaN,
        Infinity,
        -0,
        "",
        " ",
        "\0",
        "${HOME}",
        "'; reboot #",
        "{{ x }}",
        1e300,
    ),
    fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
    fc.array(some<unknown>("a", 0, null), { maxLength: 200 }),
    fc.func(fc.anything()),
);
/** A value that is not there yet. One that is found to be bad later ends the program: see test/engine. */
const later = fc.constant<unknown>(pulumi.secret("later"));
const mayBeLater = (name: string) => fields.find(({ path }) => path === name)!.mayBeLater;

/** Some of the arguments, each as `make` makes it. */
const someOf = (make: (name: string, good: fc.Arbitrary<unknown>) => fc.Arbitrary<unknown>) =>
    fc
        .subarray(Object.entries(sensible), { maxLength: 5 })
        .chain((chosen) =>
            fc.record(Object.fromEntries(chosen.map(([name, good]) => [name, make(name, good)]))),
        );
const almostSensible = someOf((name, good) =>
    fc.oneof(
        { weight: 12, arbitrary: good },
        { weight: 1, arbitrary: mayBeLater(name) ? hostile : fc.oneof(hostile, later) },
    ),
);
const sometimesLater = someOf((name, good) => {
    const { rules } = fields.find(({ path }) => path === name)!;
    const mayWait = (value: unknown) =>
        mayBeLater(name) && rules.every((rule) => rule(value, goodArgs) === undefined);
    const isAlone = !["serviceCidr", "podCidr"].includes(name);
    return good.map((value) => (isAlone && mayWait(value) ? pulumi.secret(value) : value));
});
// It lacks arguments that are required, so it is refused whatever comes later.
const wild = fc.oneof(
    fc.dictionary(fc.oneof(some(...Object.keys(sensible)), fc.string()), fc.oneof(hostile, later)),
    hostile,
);

/** To plan a cluster takes a while. */
const programs = isFull ? 100 : 8;
const counts = { planned: 0, refused: 0 };

async function plansOrRefuses(args: unknown, isWhole: boolean): Promise<void> {
    try {
        const given = (isWhole ? args : { ...goodArgs, ...(args as object) }) as never;
        const { of } = await runProgram(given, {}, isWhole);
        const { controlPlaneCount = 1 } = given;
        expect(of("VirtualMachine")).toHaveLength(controlPlaneCount);
        expect(of("ClusterReadiness")).toHaveLength(1);
        counts.planned++;
    } catch (error) {
        if (!(error instanceof InvalidArgumentsError)) {
            throw error;
        }
        expect(error.faults.length).toBeGreaterThan(0);
        expect(Math.max(...error.faults.map(({ length }) => length))).toBeLessThan(800);
        counts.refused++;
    }
}

test.each<[string, fc.Arbitrary<unknown>, number, boolean]>([
    ["mostly sensible", almostSensible, programs, false],
    ["sensible, some known only later", sometimesLater, programs, false],
    ["wild", wild, 300, true],
])("%s arguments", async (_, args, numRuns, isWhole) => {
    await fc.assert(
        fc.asyncProperty(args, (value) => plansOrRefuses(value, isWhole)),
        { numRuns, seed },
    );
});

test("both came to pass often enough to mean something", () => {
    expect(counts.planned).toBeGreaterThan(programs / 2);
    expect(counts.refused).toBeGreaterThan(20);
});
