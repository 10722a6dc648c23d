import "reflect-metadata";

import { spawn } from "node:child_process";
import {
    chmodSync,
    existsSync,
    mkdirSync,
    mkdtempSync,
    readFileSync,
    rmSync,
    statSync,
    utimesSync,
    writeFileSync,
} from "node:fs";
import type { IncomingMessage } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import * as x509 from "@peculiar/x509";

import { sha256 } from "../../../contract/manifest";
import { nodeFiles, type Values } from "../../../nodes";
import { filesOf } from "./fixtures";

/** A call the server saw. */
export interface Call {
    method: string;
    path: string;
    headers: IncomingMessage["headers"];
    body: unknown;
}

/** What a route answers. */
export interface Answer {
    status: number;
    body?: unknown;
}

/** A bootstrap server of a few lines, with TLS, that keeps what it saw. */
export class FakeServer {
    readonly calls: Call[] = [];
    readonly routes: Record<string, (call: Call) => Answer> = {};
    private constructor(
        private readonly server: Server,
        readonly caPem: string,
    ) {}

    static async start(): Promise<FakeServer> {
        const { cert, key } = await selfSigned();
        const server = createServer({ cert, key });
        const fake = new FakeServer(server, cert);
        server.on("request", (request, response) => {
            const chunks: Buffer[] = [];
            request.on("data", (chunk: Buffer) => chunks.push(chunk));
            request.on("end", () => {
                const text = Buffer.concat(chunks).toString("utf8");
                const call: Call = {
                    method: request.method ?? "",
                    path: request.url ?? "",
                    headers: request.headers,
                    body: text === "" ? undefined : (JSON.parse(text) as unknown),
                };
                fake.calls.push(call);
                const answer = fake.routes[`${call.method} ${call.path}`]?.(call) ?? {
                    status: 404,
                };
                response.statusCode = answer.status;
                response.end(
                    Buffer.isBuffer(answer.body)
                        ? answer.body
                        : answer.body === undefined
                          ? undefined
                          : JSON.stringify(answer.body),
                );
            });
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
        return fake;
    }

    get url(): string {
        return `https://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    }

    /** The bodies of the reports, oldest first. */
    get reports(): Record<string, unknown>[] {
        return this.calls
            .filter((call) => call.path === "/agent/report")
            .map((call) => call.body as Record<string, unknown>);
    }

    async stop(): Promise<void> {
        this.server.closeAllConnections();
        await new Promise((resolve) => this.server.close(resolve));
    }
}

/** A certificate for 127.0.0.1 that is its own CA. */
export async function selfSigned(): Promise<{ cert: string; key: string }> {
    const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
    const keys = await crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
        name: "CN=bootstrap.test",
        keys,
        signingAlgorithm: algorithm,
        extensions: [
            new x509.SubjectAlternativeNameExtension([{ type: "ip", value: "127.0.0.1" }]),
            new x509.BasicConstraintsExtension(true),
        ],
    });
    const der = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
    return {
        cert: `${certificate.toString("pem")}\n`,
        key: x509.PemConverter.encode(der, "PRIVATE KEY"),
    };
}

/** What a script did. */
export interface Run {
    code: number | null;
    output: string;
}

/** The bundle of a node as the server sends it. */
export function bundleOf(
    values: Values,
    more: Record<string, unknown> = {},
): Record<string, unknown> {
    const files = filesOf(values);
    const modes = Object.fromEntries(nodeFiles.map((spec) => [spec.path, spec]));
    return {
        schema: 1,
        cluster_id: values.clusterId,
        cluster_name: values.clusterName,
        node_name: values.nodeName,
        role: values.role,
        generation: "generation-1",
        revision: "revision-1",
        files,
        attributes: Object.fromEntries(
            Object.keys(files).map((path) => [
                path,
                { mode: modes[path]!.mode, owner: modes[path]!.owner },
            ]),
        ),
        peers: peers(values.nodeName),
        etcd: {
            state: "new",
            members: peers(values.nodeName).map(({ name, address }) => ({ name, address })),
        },
        ...more,
    };
}

/** What kubelet says of the pods of a control plane. */
export const podList = (nodeName: string, isReady: boolean): string =>
    JSON.stringify({
        items: [
            ...["kube-apiserver", "kube-controller-manager", "kube-scheduler"].map((name) => ({
                metadata: { name: `${name}-${nodeName}` },
                status: { conditions: [{ type: "Ready", status: isReady ? "True" : "False" }] },
            })),
            { metadata: { name: "coredns-1" }, status: {} },
        ],
    });

/** The peers of a cluster of three, the named node among them at 10.0.1.5. */
export function peers(own: string): { name: string; address: string; role: string }[] {
    return [1, 2, 3].map((n) => {
        const name = `cp-${n}.cluster-42.internal`;
        return {
            name,
            address: name === own ? "10.0.1.5" : `10.0.1.${10 + n}`,
            role: "control-plane",
        };
    });
}

/**
 * A node of nothing but a folder: the rendered files below it, and a folder of stand-ins in front of
 * PATH for the programs that would touch the machine. Each stand-in notes its call in `calls`.
 */
export class FakeNode {
    readonly root = mkdtempSync(join(tmpdir(), "exk8s-node-"));
    private readonly bin = join(this.root, "fake-bin");

    constructor(readonly values: Values) {
        mkdirSync(this.bin);
        mkdirSync(join(this.root, "tmp"));
        this.program("systemctl", "");
        this.program("haproxy", "");
        // Whatever a script takes to be missing: a test must not install it on this machine.
        for (const name of ["apt-get", "ctr", "modprobe"]) {
            this.program(name, "exit 1");
        }
        // Health comes from files; all else goes to the real curl. Arguments are kept, to look for secrets.
        this.program(
            "curl",
            `for last; do :; done
case "$last" in
    http://127.0.0.1:2381/health) cat "$EXK8S_ROOT/health/etcd" ;;
    https://127.0.0.1:6443/* | https://127.0.0.1:7443/readyz | https://10.96.0.1/readyz)
        cat "$EXK8S_ROOT/health/apiserver" ;;
    http://127.0.0.1:10248/healthz) cat "$EXK8S_ROOT/health/kubelet" ;;
    *) PATH="\${PATH#*:}" exec curl "$@" ;;
esac`,
        );
        // kubelet's own list of its pods.
        this.program("kubectl", 'cat "$EXK8S_ROOT/health/pods"');
        this.healthy("pods", podList(values.nodeName, true));
        this.healthy("etcd", '{"health":"true"}');
        this.healthy("apiserver", "ok");
        this.healthy("kubelet", "ok");
    }

    /** Writes the rendered files, as an installed node has them, and what the runtime folder holds. */
    install(server: FakeServer, bundle: Record<string, unknown> = bundleOf(this.values)): this {
        for (const [path, text] of Object.entries(bundle["files"] as Record<string, string>)) {
            const attributes = bundle["attributes"] as Record<string, { mode: string }>;
            this.write(path, text, attributes[path]!.mode);
        }
        this.write("/etc/exk8s/runtime/peers.json", `${jqSorted(bundle["peers"])}\n`);
        this.write(
            "/etc/exk8s/runtime/bundle.json",
            JSON.stringify({
                generation: bundle["generation"],
                revision: bundle["revision"],
                etcd: bundle["etcd"],
            }),
        );
        this.write("/etc/exk8s/runtime/agent-token", "the-agent-token", "0600");
        this.write("/etc/exk8s/runtime/bootstrap.env", `BOOTSTRAP_BASE_URL='${server.url}'\n`);
        this.write("/etc/exk8s/runtime/bootstrap-ca.pem", server.caPem);
        this.write(
            "/var/lib/exk8s/files",
            Object.keys(bundle["files"] as object)
                .map((path) => `${path}\n`)
                .join(""),
        );
        return this;
    }

    healthy(check: string, answer: string | undefined): void {
        const path = `/health/${check}`;
        if (answer === undefined) {
            rmSync(join(this.root, path), { force: true });
        } else {
            this.write(path, answer);
        }
    }

    /** A stand-in: notes the call, then runs the text. */
    program(name: string, text: string): void {
        const path = join(this.bin, name);
        writeFileSync(
            path,
            `#!/usr/bin/env bash\nprintf '%s\\n' "${name} $*" >>"$EXK8S_ROOT/calls"\n${text}\n`,
        );
        chmodSync(path, 0o755);
    }

    write(path: string, text: string | Buffer, mode = "0644"): void {
        mkdirSync(dirname(join(this.root, path)), { recursive: true });
        writeFileSync(join(this.root, path), text);
        chmodSync(join(this.root, path), Number.parseInt(mode, 8));
    }

    read(path: string): string {
        return readFileSync(join(this.root, path), "utf8");
    }

    has(path: string): boolean {
        return existsSync(join(this.root, path));
    }

    mode(path: string): string {
        return (statSync(join(this.root, path)).mode & 0o7777).toString(8).padStart(4, "0");
    }

    /** Makes a file look written so many days ago. */
    age(path: string, days: number): void {
        const seconds = Date.now() / 1000 - days * 24 * 60 * 60 - 60;
        utimesSync(join(this.root, path), seconds, seconds);
    }

    digest(path: string): string {
        return sha256(this.read(path));
    }

    /** The calls of one stand-in since the last look, without those of curl to health checks. */
    calls(...programs: string[]): string[] {
        const lines = this.has("/calls") ? this.read("/calls").split("\n") : [];
        return lines.filter((line) => programs.some((name) => line.startsWith(`${name} `)));
    }

    forget(): void {
        rmSync(join(this.root, "calls"), { force: true });
    }

    /** Runs a script of the node, or a shell text. */
    run(script: string, env: Record<string, string> = {}, args: string[] = []): Promise<Run> {
        const command = script.startsWith("/")
            ? [join(this.root, script), ...args]
            : ["-c", script];
        return new Promise((resolve, reject) => {
            const child = spawn("bash", command, {
                env: {
                    PATH: `${this.bin}:${process.env["PATH"] ?? ""}`,
                    TMPDIR: join(this.root, "tmp"),
                    EXK8S_ROOT: this.root,
                    EXK8S_POLL: "0.05",
                    EXK8S_HEALTH_SECONDS: "1",
                    ...env,
                },
                stdio: ["ignore", "pipe", "pipe"],
            });
            const chunks: Buffer[] = [];
            child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
            child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
            child.on("error", reject);
            child.on("close", (code) =>
                resolve({ code, output: Buffer.concat(chunks).toString("utf8") }),
            );
        });
    }

    remove(): void {
        rmSync(this.root, { recursive: true, force: true });
    }
}

/** JSON as `jq -S .` prints it. */
function jqSorted(value: unknown): string {
    return JSON.stringify(
        value,
        (_key, one: unknown) =>
            typeof one === "object" && one !== null && !Array.isArray(one)
                ? Object.fromEntries(Object.entries(one).sort())
                : one,
        2,
    );
}
