import { renderTemplate } from "../templates/render";
import { file, type NodeFile } from "./file";
import { paths } from "./paths";
import { type HealthCheck, type Program, program } from "./program";
import { flagsOf, type ProgramFlags } from "./program-flags";
import type { ExtraArgs } from "./values/flags";
import type { ClusterSettings } from "./values/settings";
import type { ValueName, Values } from "./values/values";

/** Port and paths of a static pod's probes, all of them kubeadm's. */
interface Probes {
    readonly port: number;
    readonly startup: string;
    readonly liveness: string;
    /** Absent where the program has no such path: a probe of it would never succeed. */
    readonly readiness?: string;
}

/** A program that kubelet runs from a manifest on the node. */
interface StaticPod<Name extends string, Need extends ValueName> {
    readonly name: Name;
    /** What the pod requests. */
    readonly cpu: string;
    /** Whether it gets the distribution's CA folders, for webhooks and identity providers with public certificates. */
    readonly needsPublicCas: boolean;
    readonly probes: Probes;
    readonly extraArgs: ProgramFlags;
    /** The values that its flags depend on, beyond the settings. */
    readonly needs: readonly Need[];
    readonly flags: (settings: ClusterSettings, values: Pick<Values, Need>) => ExtraArgs;
    /** Files that its container keeps as they were at its start: a new one needs a new container. */
    readonly reads: readonly string[];
    readonly scope?: NodeFile["scope"];
    /** Files beside its manifest. */
    readonly files?: readonly NodeFile[];
    readonly health?: HealthCheck;
}

const publicCaFolders = [
    { name: "ca-certs", path: "/etc/ssl/certs" },
    { name: "etc-ca-certificates", path: "/etc/ca-certificates" },
    { name: "usr-local-share-ca-certificates", path: "/usr/local/share/ca-certificates" },
    { name: "usr-share-ca-certificates", path: "/usr/share/ca-certificates" },
] as const;

/** Declares a program that runs as a static pod. */
export function staticPod<const Name extends string, Need extends ValueName>(
    pod: StaticPod<Name, Need>,
): Program & { readonly name: Name } {
    const { name, cpu, needsPublicCas, probes, extraArgs, needs, reads } = pod;
    const image = ({ versions }: ClusterSettings) =>
        `registry.k8s.io/${name}:${versions.kubernetes}`;
    const commandLine = (values: Pick<Values, Need | "settings">) =>
        flagsOf(extraArgs, values.settings, pod.flags(values.settings, values));
    const manifest = `${paths.staticPods}/${name}.yaml`;
    return program({
        name,
        files: [
            file<Need | "settings">({
                path: manifest,
                mode: "0600",
                scope: pod.scope ?? "role",
                needs: ["settings", ...needs],
                render: (values) => {
                    const { settings } = values;
                    const flags = commandLine(values);
                    return renderTemplate("static-pods/static-pod.yaml", {
                        pod: {
                            name,
                            image: image(settings),
                            cpu,
                            flags,
                            probes,
                            files: filesNamedBy(flags),
                            folders: needsPublicCas ? publicCaFolders : [],
                        },
                    });
                },
            }),
            ...(pod.files ?? []),
        ],
        isStaticPod: true,
        images: (settings) => [image(settings)],
        extraArgs,
        commandLine,
        reactions: [
            { action: `replaced:${name}`, to: [manifest] },
            { action: `pod:${name}`, to: reads },
        ],
        ...(pod.health === undefined ? {} : { health: pod.health }),
    });
}

/** The single files that a program's flags name, ours only. */
function filesNamedBy(flags: readonly string[]): { name: string; path: string }[] {
    const files = new Set(
        flags
            .map((flag) => flag.slice(flag.indexOf("=") + 1))
            .filter((value) => value.startsWith("/etc/exk8s/")),
    );
    return [...files].sort().map((path) => ({
        path,
        name: path.split("/").slice(-1).join("").replace(/\./g, "-"),
    }));
}
