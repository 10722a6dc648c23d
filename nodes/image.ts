import { sha256 } from "../contract/manifest";
import { renderTemplate } from "../templates/render";
import { type NodeFile, unitPath } from "./file";
import { nodeFiles, nodeFilesFor } from "./files";
import { ciliumValuesPath } from "./network/cilium";
import { downloadsPath, paths } from "./paths";
import { containerImages } from "./role-files";
import type { ClusterSettings } from "./values/settings";

/** The role whose nodes boot from an image. */
const role = "control-plane";

/** The files of a node that an image is made with. */
export const imageFiles = {
    /** How the programs run: they stay in the image. */
    kept: [
        "/etc/containerd/config.toml",
        unitPath("containerd.service"),
        "/etc/sysctl.d/90-exk8s.conf",
        "/etc/modules-load.d/exk8s.conf",
    ],
    /** What installs them. */
    needed: [
        downloadsPath,
        "/etc/containerd/certs.d/_default/hosts.toml",
        `${paths.lib}/common.sh`,
        `${paths.bin}/exk8s-install-control-plane-prereqs.sh`,
        ciliumValuesPath,
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
    const files = nodeFilesFor(settings, role, "role");
    const filesAt = (places: readonly string[]) =>
        places.flatMap((place) => {
            if (!nodeFiles.some(({ path }) => path === place)) {
                throw new Error(`no node has the file ${place}, which an image is made with`);
            }
            // Some are there with other settings only.
            return files
                .filter(({ path }) => path === place)
                .map((file) => embedded(file, settings));
        });
    return renderTemplate("image/bake-control-plane-image.sh", {
        settings,
        paths,
        delimiter,
        sshdDropIn,
        ciliumVersion: settings.versions.cilium.replace(/^v/, ""),
        images: containerImages(role, settings),
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
    return renderTemplate("image/builder-userdata.sh", {
        ...values,
        authorizedKey: values.authorizedKey.trim(),
        hostKeyPem: `${values.hostKeyPem.trim()}\n`,
        sshdDropIn,
    });
}

/** An image is made before there is a cluster: nothing of one may get into it. */
function embedded({ path, mode, render }: NodeFile, settings: ClusterSettings) {
    const text = render({ settings, role });
    return { path, mode, text: text.endsWith("\n") ? text : `${text}\n` };
}
