import { defaultVersions } from "../templates";
import type { ExcloudK8sClusterArgs } from "./cluster-args";
import * as is from "./rules";

/** Says what is wrong with a value, or nothing. It sees plain values only. */
export type Rule = (value: unknown, args: ExcloudK8sClusterArgs) => string | undefined;

/** What a value must be. */
interface Checked {
    /** Whether it may be an Output: it decides neither which resources nor which files there are. */
    readonly mayBeLater: boolean;
    readonly rules: readonly Rule[];
}

/** An argument, by its path. */
export interface Field extends Checked {
    readonly path: string;
    readonly required: boolean;
    /** Whether the group that it is a member of is required too. */
    readonly parentRequired: boolean;
    /** What each item of a list, or each value of a map, must be. */
    readonly items?: Checked;
}

interface Options {
    readonly required?: boolean;
    readonly items?: Checked;
}

/** An argument that must be known when the program starts. */
function plain(path: string, rules: readonly Rule[], options: Options = {}): Field {
    return field(path, false, rules, options);
}

/** An argument that may be an Output. */
function input(path: string, rules: readonly Rule[], options: Options = {}): Field {
    return field(path, true, rules, options);
}

function field(
    path: string,
    mayBeLater: boolean,
    rules: readonly Rule[],
    { required = false, items }: Options,
): Field {
    const parentRequired = !path.includes(".") || path.startsWith("bootstrap.");
    return { path, mayBeLater, rules, required, parentRequired, ...(items ? { items } : {}) };
}

const required = { required: true };
const plainItems = (...rules: Rule[]): Options => ({ items: { mayBeLater: false, rules } });
const inputItems = (...rules: Rule[]): Options => ({ items: { mayBeLater: true, rules } });

const authority = (name: string): Field[] => [
    plain(`certificates.authorities.${name}`, [is.object]),
    input(`certificates.authorities.${name}.certPem`, [is.required, is.certificatePem], required),
    input(`certificates.authorities.${name}.keyPem`, [is.required, is.keyPem], required),
];

/** Every argument and what it must be. */
export const fields: readonly Field[] = [
    plain("controlPlaneCount", [is.oneOf(1, 3)]),
    input("controlPlaneImageId", [is.required, is.integer(1)], required),
    input(
        "controlPlaneInstanceType",
        [is.required, is.text(/^[^\s\p{Cc}]{1,100}$/u, `"t1a.medium"`)],
        required,
    ),
    input("subnetId", [is.required, is.integer(1)], required),
    input("zoneId", [is.integer(1)]),
    plain("securityGroupIds", [is.list], inputItems(is.integer(1))),
    plain("apiServerAllowedCidrs", [is.list, is.notEmpty], plainItems(is.network)),
    input("allocatePublicIpv4", [is.boolean]),
    input("sshPubkey", [is.text(/^[^\p{Cc}]*$/u, `"ssh-ed25519 AAAA..."`)]),
    input("rootVolumeSizeGib", [is.integer(10)]),
    plain("bootstrap", [is.required, is.object], required),
    input("bootstrap.operatorUrl", [is.required, is.url], required),
    input("bootstrap.nodeUrl", [is.url]),
    input("bootstrap.caPem", [is.certificatePem]),
    input("kubernetesVersion", [
        is.text(/^v\d+\.\d+\.\d+$/, `"${defaultVersions.kubernetes}"`),
        is.supportedVersion,
    ]),
    input("serviceCidr", [is.network, is.apartFromPods, is.roomForServices]),
    input("podCidr", [is.network, is.roomForPods]),
    input("clusterDomain", [is.domain]),
    plain("podNetwork", [is.oneOf("cilium", "bridge", "none"), is.singleNodeForBridge]),
    input("dnsZone", [is.domain]),
    plain("extraSans", [is.list], inputItems(is.subjectName)),
    ...(
        [
            ["apiServerExtraArgs", "kube-apiserver"],
            ["controllerManagerExtraArgs", "kube-controller-manager"],
            ["schedulerExtraArgs", "kube-scheduler"],
            ["etcdExtraArgs", "etcd"],
            ["kubeletExtraArgs", "kubelet"],
        ] as const
    ).map(([path, program]) => plain(path, [is.flags(program)], inputItems(is.flagValue))),
    plain("kubeletConfiguration", [is.object, is.json]),
    plain("kubeProxyConfiguration", [is.object, is.json]),
    plain("ciliumValues", [is.object, is.json]),
    plain("certificates", [is.object]),
    plain("certificates.authorities", [is.object]),
    ...["cluster", "etcd", "frontProxy"].flatMap(authority),
    plain("certificates.keyAlgorithm", [is.oneOf("ECDSA", "RSA")]),
    plain("certificates.validityDays", [is.integer(1, 36_500)]),
    plain("certificates.renewBeforeDays", [is.integer(0), is.shorterThanValidity]),
    plain("mirrors", [is.object]),
    plain("mirrors.binaries", [is.mirror("binaries")]),
    plain("mirrors.images", [is.mirror("images")]),
    plain("mirrors.charts", [is.mirror("charts")]),
    plain("mirrors.packages", [is.mirror("packages")]),
    plain("replaceNodes", [is.list, is.knownAndSingle]),
    plain("replaceWithoutQuorum", [is.boolean]),
    plain("deletionProtection", [is.boolean]),
    plain("adopt", [is.object]),
    plain("adopt.securityGroupId", [is.integer(1), is.forOwnGroup]),
    plain("adopt.controlPlaneVmIds", [is.object, is.vmsOfNodes]),
    plain("timeouts", [is.object]),
    plain("timeouts.vmCreate", [is.integer(1)]),
    plain("timeouts.vmDelete", [is.integer(1)]),
    plain("timeouts.ready", [is.integer(1)]),
];
