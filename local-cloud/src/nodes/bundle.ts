import { createHash } from "node:crypto";

import { Type, type Static } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";

/** A bundle as the bootstrap server gives it to a node. */
export const Bundle = Type.Object({
    schema: Type.Literal(1),
    cluster_id: Type.Integer(),
    cluster_name: Type.String(),
    node_name: Type.String(),
    role: Type.String(),
    generation: Type.String(),
    revision: Type.String(),
    files: Type.Record(Type.String(), Type.String()),
    attributes: Type.Record(
        Type.String(),
        Type.Object({ mode: Type.String(), owner: Type.String() }),
    ),
    peers: Type.Array(
        Type.Object({ name: Type.String(), address: Type.String(), role: Type.String() }),
    ),
    etcd: Type.Optional(
        Type.Union([
            Type.Object({
                state: Type.Literal("new"),
                members: Type.Array(Type.Object({ name: Type.String(), address: Type.String() })),
            }),
            Type.Object({ state: Type.Literal("existing") }),
        ]),
    ),
    agent_token: Type.Optional(Type.String()),
});
export type Bundle = Static<typeof Bundle>;

/**
 * Reads a bundle.
 *
 * @throws Error that names the first member that is not as agreed
 */
export function parseBundle(json: unknown): Bundle {
    const problem = Value.Errors(Bundle, json).First();
    if (problem !== undefined) {
        throw new Error(`the bundle is malformed: ${problem.path || "/"}: ${problem.message}`);
    }
    return Value.Decode(Bundle, json);
}

const sha256 = (text: string): string => createHash("sha256").update(text, "utf8").digest("hex");

/** The generation that the files, their modes and owners amount to. */
export function generationOf(bundle: Pick<Bundle, "files" | "attributes">): string {
    const lines = Object.keys(bundle.files)
        .sort()
        .map((path) => {
            const { mode, owner } = bundle.attributes[path] ?? { mode: "", owner: "" };
            return `${path}\t${sha256(bundle.files[path] ?? "")}\t${mode}\t${owner}\n`;
        });
    return sha256(lines.join(""));
}

/** The revision of a generation with these peers: what the agent's conditional GET compares. */
export function revisionOf(bundle: Pick<Bundle, "generation" | "peers">): string {
    const peers = bundle.peers.map(({ address, name, role }) => ({ address, name, role }));
    return sha256(`${bundle.generation}\n${JSON.stringify(peers)}`);
}
