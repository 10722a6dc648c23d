import { posix } from "node:path";

import { generationOf, revisionOf } from "../bundle";
import type { Check } from "./check";

/** Whether the bundle is whole and what the contract between server and node says. */
export const integrityChecks: readonly Check[] = [
    {
        name: "path",
        phase: "bundle",
        *reasons({ bundle }) {
            for (const file of Object.keys(bundle.files)) {
                if (
                    !posix.isAbsolute(file) ||
                    posix.normalize(file) !== file ||
                    file.endsWith("/")
                ) {
                    yield `"${file}" is no absolute, normalized path`;
                }
            }
        },
    },
    {
        name: "attributes",
        phase: "bundle",
        *reasons({ bundle }) {
            for (const file of Object.keys(bundle.files)) {
                const attributes = bundle.attributes[file];
                if (attributes === undefined) yield `${file} has no mode and owner`;
                else if (!/^0[0-7]{3}$/.test(attributes.mode)) {
                    yield `${file}: mode "${attributes.mode}" is not of the form 0644`;
                } else if (!/^[a-z_][a-z0-9_-]*:[a-z_][a-z0-9_-]*$/.test(attributes.owner)) {
                    yield `${file}: owner "${attributes.owner}" is not of the form user:group`;
                }
            }
            for (const file of Object.keys(bundle.attributes)) {
                if (bundle.files[file] === undefined) yield `${file} has a mode but no content`;
            }
        },
    },
    {
        name: "generation",
        phase: "bundle",
        *reasons({ bundle }) {
            const computed = generationOf(bundle);
            if (computed !== bundle.generation) {
                yield `the files amount to generation ${computed}, the bundle says ${bundle.generation}`;
            }
        },
    },
    {
        name: "revision",
        phase: "bundle",
        *reasons({ bundle }) {
            const computed = revisionOf(bundle);
            if (computed !== bundle.revision) {
                yield `generation and peers amount to revision ${computed}, the bundle says ${bundle.revision}`;
            }
        },
    },
    {
        name: "peers",
        phase: "bundle",
        *reasons({ bundle, address }) {
            const names = bundle.peers.map((peer) => peer.name);
            const addresses = bundle.peers.map((peer) => peer.address);
            if (names.some((name, i) => i > 0 && name < (names[i - 1] ?? ""))) {
                yield `peers are not sorted by name: ${names.join(", ")}`;
            }
            if (new Set(names).size !== names.length)
                yield `a peer is named twice: ${names.join(", ")}`;
            if (new Set(addresses).size !== addresses.length) {
                yield `two peers share an address: ${addresses.join(", ")}`;
            }
            const own = bundle.peers.find((peer) => peer.name === bundle.node_name);
            if (own === undefined) yield `${bundle.node_name} is not among its own peers`;
            else if (own.address !== address) {
                yield `peers give ${bundle.node_name} the address ${own.address}, it has ${address}`;
            } else if (own.role !== bundle.role) {
                yield `peers give ${bundle.node_name} the role ${own.role}, the bundle ${bundle.role}`;
            }
        },
    },
    {
        name: "identity",
        phase: "bundle",
        *reasons({ bundle }) {
            const short = bundle.role === "control-plane" ? "cp" : bundle.role;
            const pattern = new RegExp(
                `^${short}-[1-9][0-9]*\\.cluster-${bundle.cluster_id}\\.internal$`,
            );
            if (!pattern.test(bundle.node_name)) {
                yield `"${bundle.node_name}" is no name of a ${bundle.role} node of cluster ${bundle.cluster_id}`;
            }
            const suffix = `-${bundle.cluster_id.toString(16)}`;
            if (
                !/^exk8s-\d+-[0-9a-f]+$/.test(bundle.cluster_name) ||
                !bundle.cluster_name.endsWith(suffix)
            ) {
                yield `"${bundle.cluster_name}" is no name of cluster ${bundle.cluster_id}`;
            }
        },
    },
    {
        name: "etcd-state",
        phase: "etcd",
        *reasons({ bundle }) {
            if (bundle.role === "control-plane" && bundle.etcd === undefined) {
                yield "the bundle does not say whether etcd is new or existing";
            }
            if (bundle.role !== "control-plane" && bundle.etcd !== undefined) {
                yield `a ${bundle.role} node is told to run etcd`;
            }
        },
    },
];
