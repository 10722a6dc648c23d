import { posix } from "node:path";

import { revisionOf } from "#contract/manifest";
import { clusterName, nodeName } from "#contract/names";
import { isSlotOfRole } from "#contract/pools";

import { generationOfFiles } from "../bundle";
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
                if (attributes === undefined) {
                    yield `${file} has no mode and owner`;
                } else if (!/^0[0-7]{3}$/.test(attributes.mode)) {
                    yield `${file}: mode "${attributes.mode}" is not of the form 0644`;
                } else if (!/^[a-z_][a-z0-9_-]*:[a-z_][a-z0-9_-]*$/.test(attributes.owner)) {
                    yield `${file}: owner "${attributes.owner}" is not of the form user:group`;
                }
            }
            for (const file of Object.keys(bundle.attributes)) {
                if (bundle.files[file] === undefined) {
                    yield `${file} has a mode but no content`;
                }
            }
        },
    },
    {
        name: "generation",
        phase: "bundle",
        *reasons({ bundle }) {
            const computed = generationOfFiles(bundle);
            if (computed !== bundle.generation) {
                yield `the files amount to generation ${computed}, the bundle says ${bundle.generation}`;
            }
        },
    },
    {
        name: "revision",
        phase: "bundle",
        *reasons({ bundle }) {
            const computed = revisionOf(bundle.generation, bundle.peers);
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
            if (new Set(names).size !== names.length) {
                yield `a peer is named twice: ${names.join(", ")}`;
            }
            if (new Set(addresses).size !== addresses.length) {
                yield `two peers share an address: ${addresses.join(", ")}`;
            }
            if (bundle.peers.some((peer) => peer.role !== "control-plane")) {
                yield "peers are control planes only, yet there is another among them";
            }
            const own = bundle.peers.find((peer) => peer.name === bundle.node_name);
            if (bundle.role !== "control-plane") {
                return;
            }
            if (own === undefined) {
                yield `${bundle.node_name} is not among its own peers`;
            } else if (own.address !== address) {
                yield `peers give ${bundle.node_name} the address ${own.address}, it has ${address}`;
            }
        },
    },
    {
        name: "identity",
        phase: "bundle",
        *reasons({ bundle }) {
            const [slot = ""] = bundle.node_name.split(".");
            const isNamed = nodeName(slot, bundle.cluster_id) === bundle.node_name;
            if (!isNamed || !isSlotOfRole(slot, bundle.role)) {
                yield `"${bundle.node_name}" is no name of a ${bundle.role} node of cluster ${bundle.cluster_id}`;
            }
            const [, orgId] = /^exk8s-(\d+)-/.exec(bundle.cluster_name) ?? [];
            if (bundle.cluster_name !== clusterName(Number(orgId), bundle.cluster_id)) {
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
