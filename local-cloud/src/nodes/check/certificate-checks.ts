import { createPrivateKey, createPublicKey, type X509Certificate } from "node:crypto";

import type { Bundle } from "#contract/bundle";

import { authorities, type ExpectedCertificate, expectedCertificates } from "./certificates";
import type { Check, Subject } from "./check";
import { readKubeconfig } from "./kubeconfig";
import { perBundle } from "./per-bundle";
import {
    alternativeNames,
    hasPositiveSerial,
    isIssuedBy,
    isKeyOf,
    readCertificate,
    subjectValues,
    usagesOf,
} from "./x509";

/** What a check of one certificate looks at, once certificate and authority could be read. */
interface Found {
    readonly subject: Subject;
    readonly expected: ExpectedCertificate;
    readonly certificate: X509Certificate;
    readonly authority: X509Certificate;
    readonly key: string;
}

/** One thing that must be true of a certificate. */
interface CertificateRule {
    readonly name: string;
    /** Whether the rule says anything about this certificate. */
    readonly applies?: (expected: ExpectedCertificate) => boolean;
    readonly reasons: (found: Found) => Iterable<string>;
}

const rules: readonly CertificateRule[] = [
    {
        name: "chain",
        *reasons({ certificate, authority, expected }) {
            if (!isIssuedBy(certificate, authority)) {
                yield `is not issued by the ${expected.authority} CA in ${authorities[expected.authority]}`;
            }
        },
    },
    {
        name: "validity",
        *reasons({ certificate }) {
            yield* validityProblem(certificate);
        },
    },
    {
        name: "serial",
        *reasons({ certificate }) {
            if (!hasPositiveSerial(certificate)) {
                yield `has the serial number ${certificate.serialNumber}, which is not positive`;
            }
        },
    },
    {
        name: "key",
        *reasons({ certificate, key }) {
            if (!isKeyOf(certificate, key)) {
                yield "does not belong to its private key";
            }
        },
    },
    {
        name: "usages",
        *reasons({ certificate, expected }) {
            const seen = usagesOf(certificate).join("+");
            const wanted = expected.usages.join("+");
            if (seen !== wanted) {
                yield `has the usages "${seen}", not "${wanted}"`;
            }
        },
    },
    {
        name: "common name",
        applies: ({ commonName }) => commonName !== undefined,
        *reasons({ certificate, expected, subject }) {
            const wanted = expected.commonName?.(subject);
            const seen = subjectValues(certificate, "CN").join("+");
            if (seen !== wanted) {
                yield `is CN=${seen}, not CN=${wanted}`;
            }
        },
    },
    {
        name: "groups",
        applies: ({ organizations }) => organizations !== undefined,
        *reasons({ certificate, expected }) {
            const seen = subjectValues(certificate, "O").sort().join("+");
            const wanted = [...(expected.organizations ?? [])].sort().join("+");
            if (seen !== wanted) {
                yield `has the groups O="${seen}", not "${wanted}"`;
            }
        },
    },
    {
        name: "names",
        applies: ({ names }) => names !== undefined,
        *reasons({ certificate, expected, subject }) {
            const seen = alternativeNames(certificate);
            const missing = expected.names?.(subject).filter((name) => !seen.includes(name)) ?? [];
            if (missing.length > 0) {
                yield `is not valid for ${missing.join(", ")}`;
            }
        },
    },
];

function* validityProblem(certificate: X509Certificate): Iterable<string> {
    const now = Date.now();
    if (Date.parse(certificate.validTo) <= now) {
        yield `expired at ${certificate.validTo}`;
    }
    if (Date.parse(certificate.validFrom) > now) {
        yield `is not valid before ${certificate.validFrom}`;
    }
}

/** Certificate, key and authority of an entry, as far as they can be read. */
const locate = perBundle((bundle: Bundle, { location, authority }: ExpectedCertificate) => {
    const { files } = bundle;
    const own =
        "kubeconfig" in location
            ? readKubeconfig(bundle, location.kubeconfig)
            : { certificate: files[location.certificate], key: files[location.key] };
    return {
        certificate: readCertificate(own?.certificate),
        key: own?.key,
        authority: readCertificate(files[authorities[authority]]),
    };
});

const fileOf = ({ location }: ExpectedCertificate): string =>
    "kubeconfig" in location ? location.kubeconfig : location.certificate;

/** One check per certificate and rule, and one that certificate and key are there at all. */
function* checksOf(expected: ExpectedCertificate): Iterable<Check> {
    const isControlPlane = ({ bundle }: Subject): boolean => bundle.role === "control-plane";
    yield {
        name: `certificate ${expected.name}: present`,
        phase: expected.phase,
        *reasons(subject) {
            if (!isControlPlane(subject)) {
                return;
            }
            const { certificate, key } = locate(subject.bundle, expected);
            if (certificate === undefined) {
                yield `${fileOf(expected)} holds no certificate`;
            } else if (key === undefined) {
                yield `${fileOf(expected)} has no private key`;
            }
        },
    };
    for (const { name, applies, reasons } of rules) {
        if (applies?.(expected) === false) {
            continue;
        }
        yield {
            name: `certificate ${expected.name}: ${name}`,
            phase: expected.phase,
            *reasons(subject) {
                if (!isControlPlane(subject)) {
                    return;
                }
                const { certificate, authority, key = "" } = locate(subject.bundle, expected);
                if (certificate === undefined || authority === undefined) {
                    return;
                }
                for (const reason of reasons({ subject, expected, certificate, authority, key })) {
                    yield `${fileOf(expected)} ${reason}`;
                }
            },
        };
    }
}

const authorityChecks: readonly Check[] = [
    {
        name: "authority: present",
        phase: "install",
        *reasons({ bundle }) {
            const needed =
                bundle.role === "control-plane"
                    ? Object.values(authorities)
                    : [authorities.cluster];
            for (const file of needed) {
                const certificate = readCertificate(bundle.files[file]);
                if (certificate === undefined) {
                    yield `${file} holds no certificate`;
                } else if (!certificate.ca) {
                    yield `${file} is no CA`;
                } else if (!isIssuedBy(certificate, certificate)) {
                    yield `${file} is not self-signed`;
                }
            }
        },
    },
    {
        name: "authority: validity",
        phase: "install",
        *reasons({ bundle }) {
            for (const file of Object.values(authorities)) {
                const certificate = readCertificate(bundle.files[file]);
                if (certificate === undefined) {
                    continue;
                }
                for (const reason of validityProblem(certificate)) {
                    yield `${file} ${reason}`;
                }
                if (!hasPositiveSerial(certificate)) {
                    yield `${file} has a serial number that is not positive`;
                }
            }
        },
    },
    {
        // etcd checks only the CA of a client: whoever has any certificate of it owns the cluster.
        name: "authority: separate",
        phase: "install",
        *reasons({ bundle }) {
            const seen = new Map<string, string>();
            for (const file of Object.values(authorities)) {
                const certificate = readCertificate(bundle.files[file]);
                if (certificate === undefined) {
                    continue;
                }
                const key = certificate.publicKey
                    .export({ type: "spki", format: "pem" })
                    .toString();
                const other = seen.get(key);
                if (other !== undefined) {
                    yield `${file} and ${other} are the same authority`;
                }
                seen.set(key, file);
            }
        },
    },
];

const serviceAccountCheck: Check = {
    name: "service-account",
    phase: "apiserver",
    *reasons({ bundle }) {
        const publicPem = bundle.files["/etc/exk8s/pki/service-account.pem"];
        const privatePem = bundle.files["/etc/exk8s/pki/service-account-key.pem"];
        if (publicPem === undefined || privatePem === undefined) {
            return;
        }
        try {
            const derived = createPublicKey(createPrivateKey(privatePem));
            if (!derived.equals(createPublicKey(publicPem))) {
                yield "service-account.pem is not the public key of service-account-key.pem";
            }
        } catch (error) {
            yield `the service-account key pair cannot be read: ${String(error)}`;
        }
    },
};

const kubeconfigChecks: readonly Check[] = expectedCertificates.flatMap(
    ({ name, phase, location }): Check[] => {
        if (!("kubeconfig" in location)) {
            return [];
        }
        const { kubeconfig: file, server } = location;
        return [
            {
                name: `kubeconfig ${name}`,
                phase,
                *reasons({ bundle }) {
                    if (bundle.role !== "control-plane") {
                        return;
                    }
                    const kubeconfig = readKubeconfig(bundle, file);
                    if (kubeconfig === undefined) {
                        yield `${file} is missing, or its current context names no cluster and user`;
                        return;
                    }
                    if (kubeconfig.server !== server) {
                        yield `${file} talks to ${kubeconfig.server}, not to ${server}`;
                    }
                    const trusted = readCertificate(kubeconfig.authority);
                    const authority = readCertificate(bundle.files[authorities.cluster]);
                    if (trusted?.fingerprint256 !== authority?.fingerprint256) {
                        yield `${file} trusts another CA than ${authorities.cluster}`;
                    }
                },
            },
        ];
    },
);

/** Everything about keys, certificates and those who use them. */
export const certificateChecks: readonly Check[] = [
    ...authorityChecks,
    ...expectedCertificates.flatMap((expected) => [...checksOf(expected)]),
    serviceAccountCheck,
    ...kubeconfigChecks,
];
