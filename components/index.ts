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
export { ControlPlaneImage } from "./control-plane-image";
export type { ControlPlaneImageArgs, ImageTimeoutsArgs } from "./control-plane-image-args";
export { ExcloudBootstrapServer } from "./excloud-bootstrap-server";
export type {
    BootstrapServerTimeoutsArgs,
    ExcloudBootstrapServerArgs,
} from "./excloud-bootstrap-server-args";
export type { CertificateAuthoritiesArgs, CertificateAuthorityArgs } from "./pki/cluster-pki";
export { KeyAlgorithm } from "./pki/issue";
export { InvalidArgumentsError } from "./validate";
