import { afterEach, beforeEach, expect, test } from "@jest/globals";

import { renderUserData, type UserDataValues } from "../../../nodes";
import { valuesOf } from "./fixtures";
import { bundleOf, FakeNode, FakeServer } from "./node";

let server: FakeServer;
let node: FakeNode;
const bundlePath = "GET /bootstrap/control-plane/101";

beforeEach(async () => {
    server = await FakeServer.start();
    node = new FakeNode(valuesOf());
    node.program("sleep", "");
    // The metadata service is plain HTTP on a real node; here one TLS server plays both.
    server.routes["POST /agent/report"] = () => ({ status: 204 });
    node.program(
        "curl",
        `for last; do :; done
case "$last" in
    http://imds.test/token) printf imds-token ;;
    http://imds.test/latest/identity/node-identity) echo '{"node_id": 101}' ;;
    http://imds.test/latest/identity/access-token) echo '{"access_token": "org-token"}' ;;
    *) PATH="\${PATH#*:}" exec curl "$@" ;;
esac`,
    );
});
afterEach(async () => {
    node.remove();
    await server.stop();
});

const boot = (
    more: Partial<UserDataValues> = {},
    args: string[] = [],
    env: Record<string, string> = {},
) => {
    node.write(
        "/user-data",
        renderUserData({
            bootstrapUrl: server.url,
            bootstrapCaPem: server.caPem,
            slotSecret: "slot-secret",
            role: "control-plane",
            verifierMode: "selfHosted",
            imdsUrl: "http://imds.test",
            ...more,
        }),
    );
    return node.run("/user-data", env, args);
};
const bundle = () => bundleOf(node.values, { agent_token: "fresh-token" });

test("proves itself, waits while there is no bundle, writes it and starts the bootstrap", async () => {
    const answers = [401, 409, 503];
    server.routes[bundlePath] = () => {
        const status = answers.shift();
        return status === undefined ? { status: 200, body: bundle() } : { status, body: {} };
    };
    const run = await boot();
    expect(run).toMatchObject({ code: 0 });
    const first = server.calls[0]!;
    expect(first.headers).toMatchObject({
        authorization: "Bearer org-token",
        "x-exk8s-slot-secret": "slot-secret",
    });
    expect(first.headers).not.toHaveProperty("x-exc-imds-token");
    const files = bundle()["files"] as Record<string, string>;
    for (const [path, text] of Object.entries(files)) {
        expect({ path, text: node.read(path) }).toEqual({ path, text });
    }
    expect(node.mode("/etc/exk8s/kubeconfig/admin.kubeconfig")).toBe("0600");
    expect(node.mode("/usr/local/bin/exk8s-node-agent.sh")).toBe("0755");
    expect(node.mode("/etc/exk8s")).toBe("0755");
    expect(node.mode("/etc/exk8s/runtime/agent-token")).toBe("0600");
    expect(node.read("/etc/exk8s/runtime/agent-token")).toBe("fresh-token");
    expect(node.read("/etc/exk8s/runtime/bootstrap.env")).toBe(
        `BOOTSTRAP_BASE_URL='${server.url}'\nNODE_NAME='cp-1.cluster-42.internal'\nVM_ID='101'\n`,
    );
    expect(node.read("/etc/exk8s/runtime/bootstrap-ca.pem")).toBe(server.caPem);
    expect(JSON.parse(node.read("/etc/exk8s/runtime/bundle.json"))).toEqual({
        generation: "generation-1",
        revision: "revision-1",
        etcd: bundle()["etcd"],
    });
    expect(server.reports.map((one) => [one["phase"], one["state"]])).toEqual([
        ["userdata", "done"],
        ["bundle", "done"],
    ]);
    expect(node.calls("systemctl")).toEqual([
        "systemctl --no-reload enable exk8s-bootstrap.service",
        "systemctl start --no-block exk8s-bootstrap.service",
    ]);
    expect(node.read("/calls")).not.toMatch(/slot-secret|org-token|imds-token|fresh-token/);
    expect(run.output).not.toMatch(/slot-secret|org-token|imds-token|fresh-token/);
});

test("in mode excloud presents the metadata token instead of a slot secret", async () => {
    server.routes[bundlePath] = () => ({ status: 200, body: bundle() });
    await boot({ verifierMode: "excloud" });
    expect(server.calls[0]!.headers).toMatchObject({ "x-exc-imds-token": "imds-token" });
    expect(server.calls[0]!.headers).not.toHaveProperty("x-exk8s-slot-secret");
});

test("under systemd it becomes a unit that survives a reboot, and leaves no secret behind", async () => {
    node.write("/run/systemd/system/.keep", "");
    node.write("/etc/systemd/system/.keep", "");
    node.write("/usr/local/sbin/.keep", "");
    expect(await boot()).toMatchObject({ code: 0 });
    expect(server.calls).toEqual([]);
    expect(node.mode("/usr/local/sbin/exk8s-userdata.sh")).toBe("0700");
    const unit = node.read("/etc/systemd/system/exk8s-userdata.service");
    expect(unit).toContain(`ExecStart=${node.root}/usr/local/sbin/exk8s-userdata.sh run\n`);
    expect(unit).toContain('Environment="EXC_IMDS_BASE_URL=http://imds.test"\n');
    server.routes[bundlePath] = () => ({ status: 200, body: bundle() });
    expect(await node.run("/usr/local/sbin/exk8s-userdata.sh", {}, ["run"])).toMatchObject({
        code: 0,
    });
    expect(node.has("/usr/local/sbin/exk8s-userdata.sh")).toBe(false);
    expect(node.read("/etc/exk8s/runtime/agent-token")).toBe("fresh-token");
});

test.each([
    ["from the image's sources", {}, ""],
    [
        "from the mirror of packages",
        { packageMirror: "http://mirror.test/ubuntu" },
        "deb http://mirror.test/ubuntu noble main universe\n",
    ],
])("installs what the image lacks %s", async (_where, more, sources) => {
    node.write("/etc/os-release", "ID=ubuntu\nVERSION_CODENAME=noble\n");
    node.program(
        "apt-get",
        'for one; do [[ "$one" != Dir::Etc::sourcelist=* ]] || cat "${one#*=}"; done >"$EXK8S_ROOT/sources"',
    );
    server.routes[bundlePath] = () => ({ status: 200, body: bundle() });
    // `command` is a builtin: a function that bash imports stands in for it.
    const lacking = { "BASH_FUNC_command%%": "() { return 1; }" };
    expect(await boot(more, [], lacking)).toMatchObject({ code: 0 });
    expect(node.read("/sources")).toBe(sources);
    const calls = node.calls("apt-get");
    expect(calls.map((call) => call.replace(/^.*Retries=5 /, ""))).toEqual([
        "update -y",
        "install -y --no-install-recommends ca-certificates curl jq",
    ]);
    for (const call of calls) {
        expect(call).toContain("-o DPkg::Lock::Timeout=600");
        expect(call.includes("Dir::Etc::sourceparts=-")).toBe(sources !== "");
    }
});

test("gives up on a metadata service that never answers, with its address", async () => {
    node.program("curl", "exit 7");
    const run = await boot();
    expect(run.code).toBe(1);
    expect(run.output).toContain("the metadata service at http://imds.test did not answer");
});
