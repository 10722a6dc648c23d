import type { ExcloudK8sClusterArgs } from "./cluster-args";
import { type Field, input, inputItems, plain, plainItems, required } from "./field";
import * as is from "./rules";
import { checkArgs } from "./validate";

const authority = (name: string): Field<ExcloudK8sClusterArgs>[] => [
    plain(`certificates.authorities.${name}`, [is.object]),
    input(`certificates.authorities.${name}.certPem`, [is.required, is.certificatePem], required),
    input(`certificates.authorities.${name}.keyPem`, [is.required, is.keyPem], required),
];

/** Every argument of a cluster and what it must be. */
export const fields: readonly Field<ExcloudK8sClusterArgs>[] = [
    plain("controlPlaneCount", [is.oneOf(1, 3)]),
    input("controlPlaneImageId", [is.required, is.integer(1)], required),
    input("controlPlaneInstanceType", [is.required, is.instanceType], required),
    input("subnetId", [is.required, is.integer(1)], required),
    input("zoneId", [is.integer(1)]),
    plain("securityGroupIds", [is.list], inputItems(is.integer(1))),
    plain("apiServerAllowedCidrs", [is.list, is.notEmpty], plainItems(is.network)),
    input("allocatePublicIpv4", [is.boolean]),
    input("sshPubkey", [is.sshPubkey]),
    input("rootVolumeSizeGib", [is.integer(10)]),
    plain("bootstrap", [is.required, is.object], required),
    input("bootstrap.operatorUrl", [is.required, is.url], required),
    input("bootstrap.nodeUrl", [is.url]),
    input("bootstrap.caPem", [is.certificatePem]),
    input("kubernetesVersion", [is.version, is.supportedVersion]),
    input("serviceCidr", [is.network, is.apartFromPods, is.roomForServices]),
    input("podCidr", [is.network, is.roomForPods]),
    input("clusterDomain", [is.domain]),
    plain("podNetwork", [is.podNetwork, is.joinsAllNodes]),
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

/**
 * Checks the arguments of a cluster, see `checkArgs`.
 *
 * @throws InvalidArgumentsError listing every fault
 */
export const validateArgs = (cluster: string, args: ExcloudK8sClusterArgs): ExcloudK8sClusterArgs =>
    checkArgs(`ExcloudK8sCluster "${cluster}"`, args, fields);
