import { sha256 } from "../contract/manifest";
import { renderTemplate } from "./engine";
import { fileSpecsFor, type FileSpec } from "./files";
import { paths } from "./paths";
import type { ClusterSettings } from "./settings";
import type { Values } from "./values";

/** The files of a node that an image is made with. */
export const imageFiles = {
    /** How the programs run: they stay in the image. */
    kept: [
        `${paths.systemd}/containerd.service`,
        "/etc/containerd/config.toml",
        "/etc/sysctl.d/90-exk8s.conf",
        "/etc/modules-load.d/exk8s.conf",
    ],
    /** What installs them. */
    needed: [
        `${paths.config}/downloads.tsv`,
        `${paths.config}/cilium-values.yaml`,
        `${paths.lib}/common.sh`,
        `${paths.bin}/exk8s-install-control-plane-prereqs.sh`,
        "/etc/containerd/certs.d/_default/hosts.toml",
    ],
} as const;

/** Ends an embedded file; no line of one is this. */
const delimiter = "EXK8S_END_OF_FILE";

/** The part of sshd's configuration that lets the baker in; first of its folder, as the first value counts. */
const sshdDropIn = "00-exk8s-bake.conf";

/** What a control plane's image is made of: shown when it changes. */
export type ImageContents = Readonly<Record<string, string>>;

/**
 * The script that makes a fresh Debian or Ubuntu machine the image of a control plane with these settings.
 * It is complete in itself and also meant to be run by hand.
 */
export function renderBakeScript(settings: ClusterSettings): string {
    const specs = fileSpecsFor(settings, "control-plane", "role");
    const filesAt = (places: readonly string[]) =>
        specs.filter(({ path }) => places.includes(path)).map((spec) => embedded(spec, settings));
    return renderTemplate("bake-control-plane-image.sh", {
        settings,
        paths,
        delimiter,
        sshdDropIn,
        ciliumVersion: settings.versions.cilium.replace(/^v/, ""),
        images: containerImages(settings),
        kept: filesAt(imageFiles.kept),
        needed: filesAt(imageFiles.needed),
    });
}

/** The versions that {@link renderBakeScript} installs, and the digest of its text. */
export function imageContents(settings: ClusterSettings, script: string): ImageContents {
    return { ...settings.versions, script: sha256(script) };
}

/** Who bakes, by which key the builder is known, and how long it may run. */
export interface BuilderUserDataValues {
    /** Public key in OpenSSH's one-line form. */
    authorizedKey: string;
    /** Private host key in OpenSSH's PEM form. */
    hostKeyPem: string;
    /** Seconds after which the machine powers itself off. */
    lifetime: number;
}

/** Renders the user data of the machine on which an image is baked. */
export function renderBuilderUserData(values: BuilderUserDataValues): string {
    return renderTemplate("builder-userdata.sh", {
        ...values,
        authorizedKey: values.authorizedKey.trim(),
        hostKeyPem: `${values.hostKeyPem.trim()}\n`,
        sshdDropIn,
    });
}

/**
 * The container images that every control plane runs, as its manifests name them. Those of Cilium are named by
 * its chart.
 */
export function containerImages(settings: ClusterSettings): string[] {
    const manifests = (["node", "role"] as const)
        .flatMap((scope) => fileSpecsFor(settings, "control-plane", scope))
        .filter(({ path }) => path.startsWith(paths.staticPods) || path.startsWith(paths.manifests))
        .map((spec) => spec.render(ofNoCluster(settings)))
        .join("\n");
    const named = [...manifests.matchAll(/^ *image: *(\S+)/gm)].flatMap(([, image]) => image ?? []);
    return [`registry.k8s.io/pause:${settings.versions.pause}`, ...new Set(named)];
}

function embedded(spec: FileSpec, settings: ClusterSettings) {
    const text = spec.render(ofNoCluster(settings));
    return { path: spec.path, mode: spec.mode, text: text.endsWith("\n") ? text : `${text}\n` };
}

/** An image is made before there is a cluster: nothing of one may get into it. */
function ofNoCluster(settings: ClusterSettings): Values {
    return {
        settings,
        role: "control-plane",
        clusterId: 0,
        clusterName: "none",
        dnsName: "none.invalid",
        nodeName: "none",
        privateIpv4: "",
        privateIpv6: "",
        publicIpv4: "",
    };
}
