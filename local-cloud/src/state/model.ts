import type { operations, ResponseOf, schemas } from "excloud-k8s/api";

type Answer<Name extends keyof typeof operations> = ResponseOf<(typeof operations)[Name]>;

/** State of a VM. */
export type VmState = schemas.Vm["state"];

/** A VM as the local cloud keeps it: more than the API ever answers with. */
export interface VmRow {
    vm_id: number;
    name: string;
    state: VmState;
    zone_id: number;
    project_id: number;
    subnet_id: number;
    instance_type: string;
    image_id: number;
    image_name: string;
    root_volume_id: number;
    delete_root_volume: boolean;
    delete_protection: boolean;
    created_at: string;
    user_data: string | null;
    /** Whether the VM gets an ephemeral public address whenever it starts. */
    allocate_public_ipv4: boolean;
    public_ipv4: string | null;
    interface: { id: number; ipv4: string; security_group_ids: number[] };
}

/** A root volume. It outlives its VM unless it is terminated with `delete_root_volume`. */
export interface VolumeRow {
    id: number;
    name: string;
    zone_id: number;
    size_bytes: number;
    state: "IN_USE" | "AVAILABLE";
    vm_id: number | null;
}

/** A public address that is kept (and paid for) until it is released. */
export interface ReservationRow {
    id: number;
    ip: string;
    zone_id: number;
    vm_id: number | null;
}

/** A token the cloud gave out, by the SHA-256 of its text; the text itself is never stored. */
export interface TokenRow {
    hash: string;
    kind: "imds" | "machine";
    org_id: number;
    vm_id: number;
    expires_at: string;
}

/** The last number given out of one sequence (`vm`, `volume`, `address of subnet 1`, ...). */
export interface SequenceRow {
    name: string;
    last: number;
}

export type SubnetRow = schemas.Subnet;
export type GroupRow = Answer<"securityGroupGet">;
export type RuleRow = schemas.SecurityGroupRule;
export type SnapshotRow = Answer<"snapshotCreate">;
export type ZoneRow = Answer<"zoneList">[number];
export type RecordRow = schemas.DnsRecord;
export type ImageRow = Answer<"imageList">[number];
export type InstanceTypeRow = Answer<"instanceTypeList">[number];
