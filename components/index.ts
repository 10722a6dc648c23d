export { ExcloudK8sCluster } from "./excloud-k8s-cluster";
export {
    PodNetwork,
    type AdoptArgs,
    type BootstrapArgs,
    type CertificatesArgs,
    type ConfigurationArgs,
    type ExcloudK8sClusterArgs,
    type MirrorsArgs,
    type TimeoutsArgs,
} from "./cluster-args";
export type { CertificateAuthoritiesArgs, CertificateAuthorityArgs } from "./pki/cluster-pki";
export { KeyAlgorithm } from "./pki/issue";
export { InvalidArgumentsError } from "./validate";
