import { type Static, type TSchema, Type } from "@sinclair/typebox";

import { etcdStates } from "./etcd";
import { phases, phaseStates } from "./phases";
import { poolPattern, slotPattern } from "./pools";
import { roles } from "./roles";
import { verifierModes } from "./verifier";

// What is asked is strict: a member that the server does not know is refused. What is answered, and what an
// agent reports, may have more members than are known here: the other side may be newer.

/** An object of exactly these members. */
export const strict = <P extends Record<string, TSchema>>(properties: P, options = {}) =>
    Type.Object(properties, { additionalProperties: false, ...options });

/** One of some texts. */
export const oneOf = <const T extends readonly string[]>(values: T, options = {}) =>
    Type.Unsafe<T[number]>(Type.String({ enum: [...values], ...options }));

/** A value that may be missing. */
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()]);

/** Absolute, no empty segment, no `.` or `..`: nothing is written outside of what it names. */
const pathPattern = "^(/(?!\\.{1,2}(/|$))[A-Za-z0-9._@:+-]+)+$";

/** Values by the absolute path of a file. */
const byPath = <T extends TSchema>(value: T) =>
    Type.Record(Type.String({ pattern: pathPattern }), value, { additionalProperties: false });

export const Digest = Type.String({
    pattern: "^[0-9a-f]{64}$",
    description: "SHA-256, lower-case hex",
});
export const Mode = Type.String({ pattern: "^0[0-7]{3}$", description: "octal file mode" });
export const Owner = Type.String({
    pattern: "^[a-z0-9_][a-z0-9_-]*:[a-z0-9_][a-z0-9_-]*$",
    description: "user:group",
});
export const Pool = Type.String({ pattern: poolPattern });
export const Slot = Type.String({ pattern: slotPattern });
export const Id = Type.Integer({ minimum: 1, maximum: 999_999_999_999_999 });
/** An id in a path. */
export const IdText = Type.String({ pattern: "^[1-9][0-9]{0,14}$" });
export const Timestamp = Type.String({ format: "date-time" });
export const RoleName = oneOf(roles);
export const ModeName = oneOf(verifierModes);
export const EtcdStateName = oneOf(etcdStates);
export const PhaseName = oneOf(phases);
export const PhaseStateName = oneOf(phaseStates);

/** Files as they are put, by path. */
export const Files = byPath(strict({ content: Type.String(), mode: Mode, owner: Owner }));
export type Files = Static<typeof Files>;
/** A manifest, see `manifest.ts`. */
export const ManifestSchema = byPath(strict({ sha256: Digest, mode: Mode, owner: Owner }));
/** The digest of each file, by path. */
export const Digests = Type.Record(Type.String(), Digest);

/** How a node's change relates to others. The program computes it; the server stores it and hands it on. */
export const Change = strict({
    disturbs: Type.Optional(
        oneOf(["nothing", "restart", "drain"] as const, {
            description: "what applying the generation does to the node's pods",
        }),
    ),
    tier: Type.Optional(
        Type.Integer({
            minimum: 0,
            maximum: 9,
            description: "a lower tier changes first: 0 control planes, 1 addons, 2 pools",
        }),
    ),
    needs: Type.Optional(
        Type.Array(strict({ tier: Type.Integer({ minimum: 0, maximum: 9 }), generation: Digest }), {
            maxItems: 1000,
            description: "what has to be reported before this generation may be released",
        }),
    ),
});
export type Change = Static<typeof Change>;

/** The error body of every route. */
export const ErrorBody = Type.Object({
    error: Type.Object({
        code: Type.String(),
        message: Type.String(),
        request_id: Type.String(),
    }),
});
