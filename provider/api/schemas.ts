import { type Static, Type } from "@sinclair/typebox";

const strict = { additionalProperties: false };
const nullable = <T extends ReturnType<typeof Type.String>>(schema: T) =>
    Type.Union([schema, Type.Null()]);

/** States of a VM (documented); the first three are those of a VM that is or will be running. */
export const vmStates = [
    "CREATING",
    "STARTING",
    "RUNNING",
    "STOPPING",
    "STOPPED",
    "RESTARTING",
    "TERMINATING",
    "TERMINATED",
    "ERROR",
] as const;

/** A VM's network interface. Member names are a proposal: the API's own are not published. */
export const NetworkInterface = Type.Object({
    id: Type.Integer(),
    subnet_id: Type.Integer(),
    ipv4: Type.String(),
    ipv6: nullable(Type.String()),
    public_ipv4: nullable(Type.String()),
    security_group_ids: Type.Array(Type.Integer()),
});

export const Vm = Type.Object({
    vm_id: Type.Integer(),
    name: Type.String(),
    state: Type.Union(vmStates.map((state) => Type.Literal(state))),
    zone_id: Type.Integer(),
    project_id: Type.Integer(),
    subnet_id: Type.Integer(),
    instance_type: Type.String(),
    image_name: Type.String(),
    public_ipv4: nullable(Type.String()),
    interface_ipv4: Type.String(),
    interface_ipv6: nullable(Type.String()),
    /** Not in the create answer, only in that of a get. */
    interfaces: Type.Optional(Type.Array(NetworkInterface)),
    root_volume_id: Type.Integer(),
    delete_protection: Type.Boolean(),
    created_at: Type.String(),
});
export type Vm = Static<typeof Vm>;

/** `lower-case letters, digits and hyphens; first and last alphanumeric` (documented). */
export const vmNamePattern = "^[a-z0-9][a-z0-9-]*[a-z0-9]$";

export const VmCreate = Type.Object(
    {
        name: Type.String({ pattern: vmNamePattern }),
        zone_id: Type.Integer(),
        project_id: Type.Integer(),
        subnet_id: Type.Integer(),
        image_id: Type.Integer(),
        instance_type: Type.String(),
        allocate_public_ipv4: Type.Boolean(),
        public_ipv4_reservation_id: Type.Optional(Type.Integer()),
        ssh_pubkey: Type.Optional(Type.String()),
        security_group_ids: Type.Optional(Type.Array(Type.Integer())),
        root_volume: Type.Optional(
            Type.Object(
                {
                    size_gib: Type.Integer({ minimum: 1 }),
                    zone_id: Type.Optional(Type.Integer()),
                    baseline_iops: Type.Optional(Type.Integer({ minimum: 3000 })),
                    baseline_throughput_mbps: Type.Optional(Type.Integer({ minimum: 125 })),
                    name: Type.Optional(Type.String()),
                },
                strict,
            ),
        ),
        root_password: Type.Optional(Type.String()),
        user_data: Type.Optional(Type.String()),
    },
    strict,
);

export const VmId = Type.Object({ vm_id: Type.Integer() }, strict);

export const Image = Type.Object({ id: Type.Integer(), name: Type.String() });
export const InstanceType = Type.Object({
    name: Type.String(),
    cpu: Type.Integer(),
    memory_mib: Type.Integer(),
});
export const Subnet = Type.Object({
    id: Type.Integer(),
    name: Type.String(),
    zone_id: Type.Integer(),
    cidr_ipv4: Type.String(),
    cidr_ipv6: nullable(Type.String()),
    disable_ipv4_public_ip: Type.Boolean(),
});
export type Subnet = Static<typeof Subnet>;

export const SecurityGroup = Type.Object({
    id: Type.Integer(),
    name: Type.String(),
    description: Type.String(),
});

/** Family strings of a rule (documented for IPv4; the IPv6 twins are inferred). */
export const ruleProtocols = [
    "TCPv4",
    "UDPv4",
    "ICMPv4",
    "IPv4",
    "TCPv6",
    "UDPv6",
    "ICMPv6",
    "IPv6",
] as const;

const ruleMembers = {
    is_ingress: Type.Boolean(),
    protocol: Type.Union(ruleProtocols.map((protocol) => Type.Literal(protocol))),
    /** `"22"`, `"80-443"`, `"80,443"` or `ANY`. */
    port_range: Type.String({ pattern: "^(ANY|[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)$" }),
    cidr: Type.String(),
};
export const SecurityGroupRule = Type.Object({
    id: Type.Integer(),
    security_group_id: Type.Integer(),
    ...ruleMembers,
    description: Type.String(),
});
export type SecurityGroupRule = Static<typeof SecurityGroupRule>;
export const SecurityGroupRuleCreate = Type.Object(
    {
        security_group_id: Type.Integer(),
        ...ruleMembers,
        description: Type.Optional(Type.String()),
    },
    strict,
);
export const SecurityGroupBinding = Type.Object(
    { interface_id: Type.Integer(), security_group_id: Type.Integer() },
    strict,
);

export const Snapshot = Type.Object({
    id: Type.Integer(),
    volume_id: Type.Integer(),
    zone_id: Type.Integer(),
    size_bytes: Type.Integer(),
    is_ami: Type.Boolean(),
    state: Type.String(),
    name: Type.String(),
    created_at: Type.String(),
});
export type Snapshot = Static<typeof Snapshot>;

export const Zone = Type.Object({
    id: Type.Union([Type.Integer(), Type.String()]),
    name: Type.String(),
});

/**
 * One record per value, identified by its full content: the shape of Excloud's Terraform provider,
 * which is generated from the API's description. The documentation page has another shape
 * (`records[]`); the choice lives here and in `provider/handlers/dns-record.ts` only.
 */
const recordMembers = {
    zone_name: Type.String(),
    type: Type.Union([Type.Literal("A"), Type.Literal("AAAA"), Type.Literal("CNAME")]),
    name: Type.String(),
    value: Type.String(),
};
export const DnsRecord = Type.Object({ ...recordMembers, ttl: Type.Integer() });
export type DnsRecord = Static<typeof DnsRecord>;
export const DnsRecordCreate = Type.Object(
    { ...recordMembers, ttl: Type.Optional(Type.Integer({ minimum: 1 })) },
    strict,
);
export const DnsRecordDelete = Type.Object(recordMembers, strict);

/** Who a token is. `vm_id` is there for the token of a VM only. */
export const Principal = Type.Object({
    org_id: Type.Integer(),
    kind: Type.Union([Type.Literal("user"), Type.Literal("machine")]),
    account_id: Type.Optional(Type.Integer()),
    service_account_id: Type.Optional(Type.Integer()),
    vm_id: Type.Optional(Type.Integer()),
});
export type Principal = Static<typeof Principal>;
