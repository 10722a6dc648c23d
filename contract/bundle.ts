import { type Static, Type } from "@sinclair/typebox";

import { Change, Digest, Id, Mode, Owner, RoleName } from "./schemas";

const Member = Type.Object({ name: Type.String(), address: Type.String() });

/** A bundle as a node receives it. Its shape is frozen: members are only ever added. */
export const Bundle = Type.Object({
    schema: Type.Literal(1),
    cluster_id: Id,
    cluster_name: Type.String(),
    node_name: Type.String(),
    role: RoleName,
    generation: Digest,
    revision: Digest,
    files: Type.Record(Type.String(), Type.String()),
    attributes: Type.Record(Type.String(), Type.Object({ mode: Mode, owner: Owner })),
    /** The control planes of the cluster. */
    peers: Type.Array(Type.Object({ name: Type.String(), address: Type.String(), role: RoleName })),
    ...Change.properties,
    /** For control planes only: how the etcd member starts. The founders are named when it is new. */
    etcd: Type.Optional(
        Type.Union([
            Type.Object({ state: Type.Literal("new"), members: Type.Array(Member) }),
            Type.Object({ state: Type.Literal("existing") }),
        ]),
    ),
    /** In a first bundle only. */
    agent_token: Type.Optional(Type.String()),
});
export type Bundle = Static<typeof Bundle>;
