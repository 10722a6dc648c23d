import type { Role } from "../../contract/roles";
import type { AuthorityName, CertificateName } from "../certificates";
import type { ClusterSettings } from "./settings";

/** Everything that the text of a node's file may depend on, by name; plain values. */
export interface Values extends Readonly<Pems> {
    readonly settings: ClusterSettings;
    readonly clusterId: number;
    readonly clusterName: string;
    /** The name under which administrators reach the API. */
    readonly dnsName: string;
    readonly nodeName: string;
    readonly role: Role;
    readonly privateIpv4: string;
    /** Empty when the node has none. */
    readonly privateIpv6: string;
    /** Empty when the node has none. */
    readonly publicIpv4: string;
}

/** PEM texts: `cert:cluster-ca`, `cert:controller-manager`, `key:controller-manager`, ... */
export type Pems = Record<
    `cert:${AuthorityName | CertificateName}` | `key:${CertificateName}`,
    string
>;

/** The name of a value. */
export type ValueName = keyof Values;
