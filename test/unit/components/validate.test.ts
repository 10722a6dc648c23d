import { describe, expect, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import * as fc from "fast-check";

import type { ExcloudK8sClusterArgs } from "../../../components/cluster-args";
import { validateArgs } from "../../../components/fields";
import { InvalidArgumentsError } from "../../../components/validate";

const good: ExcloudK8sClusterArgs = {
    controlPlaneImageId: 1,
    controlPlaneInstanceType: "t1a.medium",
    subnetId: 1,
    bootstrap: { operatorUrl: "https://bootstrap.example:8443" },
};

/** The value of an input, as the program would get it. */
function known<T>(value: pulumi.Input<T> | undefined): Promise<unknown> {
    return (pulumi.output(value) as unknown as { promise(): Promise<unknown> }).promise();
}

/** The faults of arguments, given over good ones; `undefined` takes one away. */
function faultsOf(args: object): readonly string[] {
    try {
        validateArgs("test", { ...good, ...args });
        return [];
    } catch (error) {
        expect(error).toBeInstanceOf(InvalidArgumentsError);
        return (error as InvalidArgumentsError).faults;
    }
}

type Refused = readonly [args: object, faults: string | readonly string[]];
const authority = {
    certPem: "-----BEGIN CERTIFICATE-----",
    keyPem: "-----BEGIN EC PRIVATE KEY-----",
};
const number = (name: string, minimum: number): readonly Refused[] =>
    [minimum - 1, 1.5, "7", null, NaN, 1e300, Symbol("seven")].map((value) => [
        { [name]: value },
        `${name} is ${typeof value === "string" ? `"${value}"` : String(value)}; give a whole number, at least ${minimum}`,
    ]);
const flagMap = (name: string): readonly Refused[] => [
    [{ [name]: "v=4" }, `${name} is "v=4"; give a map from flag name to value`],
    [{ [name]: ["v"] }, `${name} is ["v"]; give a map from flag name to value`],
    [
        { [name]: { v: 4, "feature-gates": null } },
        [
            `${name}.v is 4; give the flag's value as a text, such as "4" or "true"`,
            `${name}.feature-gates is null; give the flag's value as a text, such as "4" or "true"`,
        ],
    ],
    [
        { [name]: { v: "4\n--x" } },
        `${name}.v is "4\\n--x", which holds a line end or control character; give one line`,
    ],
    [
        { [name]: { "--v": "4" } },
        `${name} has the flag "--v"; write flag names without dashes in front`,
    ],
];
const configuration = (name: string): readonly Refused[] => [
    ...anObject(name),
    [{ [name]: { a: [NaN] } }, `${name} holds NaN; give plain JSON`],
    [{ [name]: { a: { b: () => 1 } } }, `${name} holds a value of type function; give plain JSON`],
    [{ [name]: { a: new Map() } }, `${name} holds an object that is not plain; give plain JSON`],
    [{ [name]: endless }, `${name} holds itself; give plain JSON`],
];
const anObject = (name: string): readonly Refused[] => [
    [{ [name]: "x" }, `${name} is "x"; give an object`],
    [{ [name]: [] }, `${name} is []; give an object`],
];
const trueOrFalse = (name: string): readonly Refused[] =>
    [1, "true", null].map((value) => [
        { [name]: value },
        `${name} is ${JSON.stringify(value)}; allowed are true, false`,
    ]);
const aDomain = (name: string): readonly Refused[] =>
    ["Upper.example", "-a.example", "a..b", "", 5].map((value) => [
        { [name]: value },
        `${name} is ${JSON.stringify(value)}; give a text such as "cluster.local"`,
    ]);
const seconds = (name: string): readonly Refused[] =>
    [0, -1, "10", 2.5].map((value) => [
        { timeouts: { [name]: value } },
        `timeouts.${name} is ${JSON.stringify(value)}; give a whole number, at least 1`,
    ]);
const withBootstrap = (more: object) => ({ bootstrap: { ...good.bootstrap, ...more } });
const notUrls = [
    "nowhere",
    "http://a.example",
    "ftp://a.example",
    "https://a.example/",
    "https://a b",
    5,
];

const endless: Record<string, unknown> = {};
endless["itself"] = endless;

/** What each argument refuses, and how it says so. The type makes this list complete. */
const refused: Record<keyof ExcloudK8sClusterArgs, readonly Refused[]> = {
    controlPlaneCount: [2, 0, 4, "3", 1e10].map((value) => [
        { controlPlaneCount: value },
        `controlPlaneCount is ${JSON.stringify(value)}; allowed are 1, 3`,
    ]),
    controlPlaneImageId: [
        [{ controlPlaneImageId: undefined }, "controlPlaneImageId is required"],
        ...number("controlPlaneImageId", 1),
    ],
    controlPlaneInstanceType: [
        [{ controlPlaneInstanceType: undefined }, "controlPlaneInstanceType is required"],
        [
            { controlPlaneInstanceType: "t1a medium" },
            'controlPlaneInstanceType is "t1a medium"; give a text such as "t1a.medium"',
        ],
    ],
    subnetId: [[{ subnetId: undefined }, "subnetId is required"], ...number("subnetId", 1)],
    zoneId: number("zoneId", 1),
    securityGroupIds: [
        [{ securityGroupIds: 5 }, "securityGroupIds is 5; give a list"],
        [{ securityGroupIds: [5, 0] }, "securityGroupIds[1] is 0; give a whole number, at least 1"],
    ],
    apiServerAllowedCidrs: [
        [
            { apiServerAllowedCidrs: "10.0.0.0/8" },
            'apiServerAllowedCidrs is "10.0.0.0/8"; give a list',
        ],
        [
            { apiServerAllowedCidrs: ["10.0.0.0/8", "10.0.0.1/8"] },
            'apiServerAllowedCidrs[1] is not valid: "10.0.0.1/8" has host bits set; ' +
                'write the network itself, "10.0.0.0/8".',
        ],
    ],
    allocatePublicIpv4: [
        [{ allocatePublicIpv4: "yes" }, 'allocatePublicIpv4 is "yes"; allowed are true, false'],
    ],
    sshPubkey: [
        [
            { sshPubkey: "ssh-ed25519 A\nssh-ed25519 B" },
            'sshPubkey is "ssh-ed25519 A\\nssh-ed25519 B"; give a text such as "ssh-ed25519 AAAA..."',
        ],
    ],
    rootVolumeSizeGib: number("rootVolumeSizeGib", 10),
    bootstrap: [
        [{ bootstrap: {} }, "bootstrap.operatorUrl is required"],
        ...notUrls.flatMap((value): Refused[] =>
            ["operatorUrl", "nodeUrl"].map((name) => [
                withBootstrap({ [name]: value }),
                `bootstrap.${name} is ${JSON.stringify(value)}; ` +
                    'give a text such as "https://bootstrap.example:8443"',
            ]),
        ),
        [
            withBootstrap({ caPem: "ca.pem" }),
            'bootstrap.caPem is "ca.pem"; give a text such as the PEM of a certificate',
        ],
    ],
    kubernetesVersion: [
        [
            { kubernetesVersion: "1.35.4" },
            'kubernetesVersion is "1.35.4"; give a text such as "v1.35.4"',
        ],
        [
            { kubernetesVersion: "v1.20.0" },
            'kubernetesVersion is not valid: kubernetesVersion: "v1.20.0" is not supported; ' +
                'use a version v1.x.y of 1.34 or 1.35, such as "v1.35.4".',
        ],
    ],
    serviceCidr: [
        [
            { serviceCidr: "everything" },
            'serviceCidr is not valid: "everything" is not an IPv4 network; ' +
                'write one such as "10.96.0.0/12".',
        ],
        [
            { serviceCidr: "10.244.0.0/20" },
            'serviceCidr is "10.244.0.0/20", which overlaps podCidr "10.244.0.0/16"; ' +
                "choose networks that share no address",
        ],
        [
            { serviceCidr: "10.0.0.0/16", podCidr: "10.0.0.0/8" },
            'serviceCidr is "10.0.0.0/16", which overlaps podCidr "10.0.0.0/8"; ' +
                "choose networks that share no address",
        ],
        [
            { serviceCidr: "10.96.0.0/28" },
            'serviceCidr is "10.96.0.0/28", which is too small; give a /24 or a shorter prefix',
        ],
    ],
    podCidr: [
        [
            { podCidr: "fd00::/64" },
            'podCidr is not valid: "fd00::/64" is not an IPv4 network; ' +
                'write one such as "10.96.0.0/12".',
        ],
        [
            { podCidr: "10.96.0.0/16" },
            'podCidr is "10.96.0.0/16", which overlaps serviceCidr "10.96.0.0/12"; ' +
                "choose networks that share no address",
        ],
        [
            { podCidr: "10.200.0.0/24" },
            'podCidr is "10.200.0.0/24", which is too small: each node takes a /24; ' +
                "give a /22 or a shorter prefix",
        ],
    ],
    clusterDomain: aDomain("clusterDomain"),
    podNetwork: [
        [
            { podNetwork: "calico" },
            'podNetwork is "calico"; allowed are "cilium", "bridge", "none"',
        ],
        [
            { podNetwork: "bridge", controlPlaneCount: 3 },
            'podNetwork is "bridge", which joins the pods of one node only; ' +
                'with 3 nodes use "cilium" or "none"',
        ],
    ],
    dnsZone: aDomain("dnsZone"),
    extraSans: [
        [{ extraSans: "api.example" }, 'extraSans is "api.example"; give a list'],
        [
            { extraSans: ["api.example", "https://api"] },
            'extraSans[1] is "https://api"; give a text such as "api.example.com"',
        ],
    ],
    apiServerExtraArgs: flagMap("apiServerExtraArgs"),
    controllerManagerExtraArgs: flagMap("controllerManagerExtraArgs"),
    schedulerExtraArgs: flagMap("schedulerExtraArgs"),
    etcdExtraArgs: flagMap("etcdExtraArgs"),
    kubeletExtraArgs: [
        ...flagMap("kubeletExtraArgs"),
        [
            { kubeletExtraArgs: { "network-plugin": "cni" } },
            'kubeletExtraArgs has the flag "network-plugin", which kubelet no longer has; remove it',
        ],
    ],
    kubeletConfiguration: configuration("kubeletConfiguration"),
    kubeProxyConfiguration: configuration("kubeProxyConfiguration"),
    ciliumValues: configuration("ciliumValues"),
    certificates: [
        ...anObject("certificates"),
        [
            { certificates: { authority: {} } },
            "certificates.authority is not an argument; did you mean authorities?",
        ],
        [
            { certificates: { authorities: { etcd: { certPem: "x" } } } },
            [
                'certificates.authorities.etcd.certPem is "x"; give a text such as the PEM of a certificate',
                "certificates.authorities.etcd.keyPem is required",
            ],
        ],
        [
            { certificates: { authorities: { cluster: { ...authority, keyPem: "hunter2" } } } },
            "certificates.authorities.cluster.keyPem is not the PEM of a private key; give one",
        ],
        [
            { certificates: { authorities: { frontproxy: authority } } },
            "certificates.authorities.frontproxy is not an argument; did you mean frontProxy?",
        ],
        [
            { certificates: { keyAlgorithm: "DSA" } },
            'certificates.keyAlgorithm is "DSA"; allowed are "ECDSA", "RSA"',
        ],
        [
            { certificates: { validityDays: 0 } },
            "certificates.validityDays is 0; give a whole number, at least 1 and at most 36500",
        ],
        [
            { certificates: { renewBeforeDays: -1 } },
            "certificates.renewBeforeDays is -1; give a whole number, at least 0",
        ],
        [
            { certificates: { validityDays: 30, renewBeforeDays: 30 } },
            "certificates.renewBeforeDays is 30, not less than validityDays (30): every up would renew",
        ],
        [
            { certificates: { renewBeforeDays: 365 } },
            "certificates.renewBeforeDays is 365, not less than validityDays (365): every up would renew",
        ],
    ],
    mirrors: [
        [
            { mirrors: { images: "registry example" } },
            'mirrors.images is not valid: mirrors.images: "registry example" is not valid; ' +
                "give a URL such as https://mirror.example.",
        ],
    ],
    replaceNodes: [
        [{ replaceNodes: "cp-1" }, 'replaceNodes is "cp-1"; give a list'],
        [{ replaceNodes: ["cp-2"] }, 'replaceNodes names "cp-2"; the nodes are cp-1'],
        [
            { replaceNodes: ["cp-4"], controlPlaneCount: 3 },
            'replaceNodes names "cp-4"; the nodes are cp-1, cp-2, cp-3',
        ],
        [
            { replaceNodes: ["cp-1"] },
            "replaceNodes cannot be used with a single control plane: " +
                "its etcd data would be lost with it",
        ],
        [
            { replaceNodes: ["cp-1", "cp-2"], controlPlaneCount: 3 },
            "replaceNodes names 2 control planes; replace one per `pulumi up`, " +
                "so that etcd keeps its quorum",
        ],
    ],
    replaceWithoutQuorum: trueOrFalse("replaceWithoutQuorum"),
    deletionProtection: trueOrFalse("deletionProtection"),
    adopt: [
        ...anObject("adopt"),
        [
            { adopt: { securityGroupId: 0 } },
            "adopt.securityGroupId is 0; give a whole number, at least 1",
        ],
        [
            { adopt: { securityGroupId: 7 }, securityGroupIds: [8] },
            "adopt.securityGroupId is 7, beside securityGroupIds: give one of them",
        ],
        [
            { adopt: { controlPlaneVmIds: { "cp-2": 7 } } },
            'adopt.controlPlaneVmIds names "cp-2"; the nodes are cp-1',
        ],
        [
            { adopt: { controlPlaneVmIds: { "cp-1": "7" } } },
            'adopt.controlPlaneVmIds has "7" for cp-1; give the id of a VM',
        ],
        [{ adopt: { subnet: 1 } }, "adopt.subnet is not an argument"],
    ],
    timeouts: [...seconds("vmCreate"), ...seconds("vmDelete"), ...seconds("ready")],
};

describe.each(Object.entries(refused))("%s", (_, cases) => {
    test.each(cases.map(([args, faults]) => [[faults].flat(), args] as const))(
        "%s",
        (faults, args) => {
            expect(faultsOf(args)).toEqual(faults);
        },
    );
});

test("without a bootstrap server, the URL that is needed is named too", () => {
    expect(faultsOf({ bootstrap: undefined })).toEqual([
        "bootstrap is required",
        "bootstrap.operatorUrl is required",
    ]);
});

describe("what is accepted", () => {
    test.each<[string, object]>([
        ["the required arguments alone", {}],
        [
            "all arguments",
            {
                controlPlaneCount: 3,
                zoneId: 1,
                securityGroupIds: [7],
                apiServerAllowedCidrs: ["10.0.0.0/8", "0.0.0.0/0"],
                allocatePublicIpv4: false,
                sshPubkey: "",
                rootVolumeSizeGib: 10,
                bootstrap: {
                    operatorUrl: "https://127.0.0.1:8443",
                    nodeUrl: "https://[fd00::1]:8443/base",
                    caPem: "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
                },
                kubernetesVersion: "v1.34.0",
                serviceCidr: "172.20.0.0/24",
                podCidr: "10.96.0.0/22",
                clusterDomain: "k8s.internal",
                podNetwork: "none",
                dnsZone: "example.org",
                extraSans: ["*.example.org", "192.0.2.1", "2001:db8::1"],
                apiServerExtraArgs: { v: "4" },
                controllerManagerExtraArgs: {},
                schedulerExtraArgs: { "leader-elect": "false" },
                etcdExtraArgs: { "quota-backend-bytes": "1" },
                kubeletExtraArgs: { v: "2" },
                kubeletConfiguration: { maxPods: 50 },
                kubeProxyConfiguration: {},
                ciliumValues: { hubble: { enabled: true } },
                certificates: { keyAlgorithm: "RSA", validityDays: 10, renewBeforeDays: 0 },
                mirrors: { images: "https://registry.example" },
                replaceNodes: ["cp-3"],
                replaceWithoutQuorum: true,
                deletionProtection: true,
                adopt: { controlPlaneVmIds: { "cp-3": 7 } },
                timeouts: { vmCreate: 1, vmDelete: 1, ready: 1 },
            },
        ],
        ["no node to replace", { replaceNodes: [] }],
        ["the bridge with one node", { podNetwork: "bridge" }],
    ])("%s", (_, args) => {
        expect(faultsOf(args)).toEqual([]);
    });

    test("what is known only later", () => {
        const later = pulumi.output(2);
        expect(
            faultsOf({
                subnetId: later,
                controlPlaneImageId: Promise.resolve(2),
                securityGroupIds: [later, 1],
                bootstrap: { operatorUrl: pulumi.output("https://later.example") },
                podCidr: pulumi.output("10.0.0.0/16"),
                serviceCidr: "10.96.0.0/12",
            }),
        ).toEqual([]);
    });
});

describe("what is known only later", () => {
    test.each([
        "controlPlaneCount",
        "securityGroupIds",
        "apiServerAllowedCidrs",
        "bootstrap",
        "podNetwork",
        "extraSans",
        "etcdExtraArgs",
        "ciliumValues",
        "certificates",
        "mirrors",
        "replaceNodes",
        "deletionProtection",
        "adopt",
        "timeouts",
    ])("cannot be %s, which decides what there is", (name) => {
        const later = `${name} becomes known only while the program runs; give a plain value, such as one of pulumi.Config`;
        expect(faultsOf({ [name]: pulumi.secret("x") })).toContain(later);
        expect(faultsOf({ [name]: Promise.resolve("x") })).toContain(later);
    });

    test("is checked then (test/engine), and a good value goes through", async () => {
        const given = {
            ...good,
            subnetId: pulumi.output(5),
            extraSans: [pulumi.output("a.example"), "b.example"],
            bootstrap: { operatorUrl: pulumi.output("https://a.example") },
        };
        const checked = validateArgs("test", given);
        await expect(known(checked.subnetId)).resolves.toBe(5);
        await expect(known(checked.extraSans![0])).resolves.toBe("a.example");
        expect(checked.extraSans![1]).toBe("b.example");
        await expect(known(checked.bootstrap.operatorUrl)).resolves.toBe("https://a.example");
        expect(given.subnetId).not.toBe(checked.subnetId);
    });
});

test.each([[undefined], [null], ["prod"], [[]]])("%j are no arguments", (args) => {
    expect(() => validateArgs("test", args as never)).toThrow(
        /the arguments are .*; give an object$/,
    );
});

test("a name that is nearly right is corrected, one that is not is left alone", () => {
    expect(
        faultsOf({ controlplaneCount: 3, bootstrap: { ...good.bootstrap, nodeURL: "x" }, x: 1 }),
    ).toEqual([
        "bootstrap.nodeURL is not an argument; did you mean nodeUrl?",
        "controlplaneCount is not an argument; did you mean controlPlaneCount?",
        "x is not an argument",
    ]);
});

describe("the message", () => {
    test("lists all faults together, and says that nothing was changed", () => {
        const bad = { controlPlaneCount: 2, subnetId: undefined, zoneId: 0, planes: 1 };
        expect(() => validateArgs("prod", { ...good, ...bad } as never)).toThrow(
            new InvalidArgumentsError('ExcloudK8sCluster "prod"', [
                "controlPlaneCount is 2; allowed are 1, 3",
                "subnetId is required",
                "zoneId is 0; give a whole number, at least 1",
                "planes is not an argument",
            ]),
        );
        expect(new InvalidArgumentsError('ExcloudK8sCluster "prod"', ["a", "b"]).message).toBe(
            [
                'ExcloudK8sCluster "prod": 2 of its arguments cannot be used, nothing was changed:',
                "  a",
                "  b",
            ].join("\n"),
        );
    });

    test("of very many faults, and of a very long value, can still be read", () => {
        const args = {
            apiServerAllowedCidrs: Array.from({ length: 1000 }, () => "x".repeat(9999)),
        };
        expect(faultsOf(args)).toHaveLength(1000);
        const message = new InvalidArgumentsError('ExcloudK8sCluster "prod"', faultsOf(args))
            .message;
        expect(message.length).toBeLessThan(50 * 300);
        expect(message).toMatch(/\n {2}and 950 more$/);
    });

    test("is shown without a stack trace", () => {
        expect(
            pulumi.RunError.isInstance(
                new InvalidArgumentsError('ExcloudK8sCluster "prod"', ["a"]),
            ),
        ).toBe(true);
    });
});

describe("whatever is given", () => {
    const text = fc.oneof(
        fc.string(),
        fc.constantFrom("10.0.0.0/8", "10.244.0.0/16", "10.96.0.1/12", "v1.35.0", "cp-1", "bridge"),
    );
    const value: fc.Arbitrary<unknown> = fc.oneof(
        text,
        fc.integer(),
        fc.double(),
        fc.boolean(),
        fc.constant(null),
        fc.array(text, { maxLength: 3 }),
        fc.dictionary(text, text, { maxKeys: 3 }),
        fc.anything(),
    );
    const nested = fc.record(
        Object.fromEntries(
            [
                ...["operatorUrl", "nodeUrl", "caPem"],
                ...["keyAlgorithm", "validityDays", "renewBeforeDays"],
                ...["binaries", "images", "vmCreate", "ready"],
            ].map((name) => [name, value]),
        ),
        { requiredKeys: [] },
    );
    const some = fc.record(
        Object.fromEntries(
            Object.keys(refused).map((name) => [name, fc.oneof(value, value, nested)]),
        ),
        { requiredKeys: [] },
    );

    test("it passes, or is refused by an error that names arguments", () => {
        fc.assert(
            fc.property(some, (args) => {
                for (const fault of faultsOf(args)) {
                    expect(Object.keys(refused)).toContain(/^\w+/.exec(fault)?.[0]);
                }
            }),
            { numRuns: 500 },
        );
    });
});
