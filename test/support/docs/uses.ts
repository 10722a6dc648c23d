/** Commands of the documentation that no test runs as they stand. */
export interface NotRun {
    readonly because: string;
    /** The test that covers them by other means, or what else does. */
    readonly coveredBy: string;
    readonly commands: readonly string[];
}

/** The pages whose commands test/consumer/first-cluster.test.ts runs as they stand, from the first to the last. */
export const tutorial = "docs/first-cluster.md";

/** Commands of other pages that it runs too, in this order, while the tutorial's cluster is there. */
export const runOnTheCluster: readonly string[] = [
    "npx excloud-k8s status",
    "npx excloud-k8s doctor",
    "npx excloud-k8s unlock",
    "find .pulumi -name '*.attrs' -empty -delete",
    "pulumi cancel --yes",
    "pulumi refresh --clear-pending-creates --yes",
    "pulumi up --yes",
    "excloud-k8s-bootstrap health",
    "excloud-k8s-bootstrap clusters list",
    `curl -H "Authorization: Bearer $EXCLOUD_API_KEY" -H "Content-Type: application/json" -d '{"operation": "vmCreate", "kind": "reset-after"}' "$EXCLOUD_COMPUTE_BASE_URL/_local/faults/calls"`,
];

/** Commands that another test runs as they stand. */
export const runBy: Readonly<Record<string, readonly string[]>> = {
    "test/engine/docs/previews.test.ts": ["pulumi preview", "pulumi preview --refresh"],
};

export const notRun: readonly NotRun[] = [
    {
        because: "takes fixed ports and a folder of the clone, which may be in use",
        coveredBy: "test/engine/docs/once.test.ts",
        commands: ["npm start"],
    },
    {
        because: "needs real nodes: root on Linux, and programs that are built first",
        coveredBy: "test/cluster/three.test.ts",
        commands: ["npm start -- --real", "kubectl --kubeconfig kubeconfig get nodes"],
    },
    {
        because: "runs the tests, this one among them, or what comes before them",
        coveredBy: ".ci/run",
        commands: [
            "npm test",
            "npm run build",
            "npm run lint",
            "npx jest --selectProjects unit -- test/unit/provider",
            "node tools/run.mjs setup && npm run test:consumer",
        ],
    },
    {
        because: "writes into the clone",
        coveredBy: ".ci/run",
        commands: ["npm run format"],
    },
    {
        because: "installs from a registry what is not published yet",
        coveredBy: "test/consumer/life.test.ts",
        commands: [
            "npm install excloud-k8s @pulumi/pulumi",
            "npm install excloud-k8s-bootstrap",
            "npm install excloud-local excloud-k8s",
        ],
    },
    {
        because: "publishes",
        coveredBy: "test/consumer/tarballs.test.ts",
        commands: [
            "npm publish . --workspace bootstrap-server --workspace local-cloud --include-workspace-root",
        ],
    },
    {
        because: "would end the providers of other runs on this machine",
        coveredBy: "test/engine/faults/unlock.test.ts",
        commands: ["pkill -f cmd/dynamic-provider"],
    },
    {
        because: "needs a VM that is a machine of its own, to bake",
        coveredBy: "test/stories/image.test.ts",
        commands: [
            "pulumi stack output script > bake-control-plane-image.sh",
            "bash bake-control-plane-image.sh",
        ],
    },
    {
        because: "installs a service on the machine itself",
        coveredBy: "test/contract/bootstrap-server/packaging.test.ts",
        commands: [
            "npm install --global excloud-k8s-bootstrap",
            "install -d -m 0700 /etc/excloud-k8s-bootstrap",
            `install -m 0600 /dev/stdin /etc/excloud-k8s-bootstrap/api-key <<<"$EXCLOUD_API_KEY"`,
            "cat >/etc/excloud-k8s-bootstrap/config.yaml <<END",
            `cp "$(npm root --global)/excloud-k8s-bootstrap/excloud-k8s-bootstrap.service" /etc/systemd/system/`,
            "systemctl enable --now excloud-k8s-bootstrap",
            "export EXCLOUD_BOOTSTRAP_DATA_DIR=/var/lib/excloud-k8s-bootstrap",
        ],
    },
    {
        because: "the id is that of a registration that was left",
        coveredBy: "test/contract/bootstrap-server/cli.test.ts",
        commands: ["excloud-k8s-bootstrap clusters delete 123456789"],
    },
    {
        because: "listens on every address, or does not come back",
        coveredBy: "test/consumer/first-cluster.test.ts",
        commands: [
            "export EXCLOUD_API_KEY=...",
            "npx excloud-k8s-bootstrap serve --listen 0.0.0.0:8443 --data-dir /var/lib/excloud-k8s-bootstrap --host bootstrap.example.org",
            "npx excloud-local serve --dir cloud --ready-file cloud.json",
        ],
    },
    {
        because: "measures for minutes",
        coveredBy: "bench/src",
        commands: [
            "npm run bench",
            "npm run bench -- --repeats 9",
            "npm run bench -- --json figures.json",
            "npm run bench:boot",
            "npm run bench:boot -- --repeats 2",
            "npm run bench:server",
            "npm run bench:server -- --vms 500 --json figures.json",
            "npm run bench:server -- --vms 0 --profile profiles",
            "npm run bench:install",
            "npm run bench:install -- --repeats 5",
        ],
    },
];
