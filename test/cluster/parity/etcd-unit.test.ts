import { expect, test } from "@jest/globals";
import { parse } from "yaml";

import { parseUnit } from "../../../local-cloud/src/nodes/check/units";
import { etcdFields } from "./known-pods";
import { bothNodes } from "./support/both-nodes";
import { unitFlags } from "./support/flags";
import { podFacts, staticPod } from "./support/pod";
import { fileAt } from "./support/scenario";

/* kubeadm runs etcd as a static pod, we as a unit of systemd: field by field, what stands for what. */

const nodes = bothNodes();
const unitPath = "/etc/systemd/system/etcd.service";

test("every field of kubeadm's pod has its answer", () => {
    const fields = Object.keys(podFacts(staticPod(nodes.kubeadm, "etcd")));
    const answers = (field: string) => etcdFields.filter((known) => field.startsWith(known.field));
    expect(fields.filter((field) => answers(field).length !== 1)).toEqual([]);
    const unused = etcdFields.filter((known) => !fields.some((one) => one.startsWith(known.field)));
    expect(unused).toEqual([]);
});

test.each(etcdFields.filter(({ unit }) => unit !== undefined))(
    "the unit answers $field",
    ({ unit = {} }) => {
        const { values } = parseUnit(unitPath, fileAt(nodes.ours, unitPath));
        for (const [setting, value] of Object.entries(unit)) {
            expect([setting, values.get(`Service.${setting}`)]).toEqual([setting, [value]]);
        }
    },
);

test("what kubeadm's pod requests is set aside on our node", () => {
    const { spec } = parse(fileAt(nodes.kubeadm, "/etc/kubernetes/manifests/etcd.yaml")) as {
        spec: { containers: { resources: { requests: object } }[] };
    };
    const kubelet = parse(fileAt(nodes.ours, "/var/lib/kubelet/config.yaml")) as {
        systemReserved?: object;
    };
    expect(kubelet.systemReserved).toEqual(spec.containers[0]?.resources.requests);
});

test("etcd's user can read the keys that its flags name, and no other secret", () => {
    const named = Object.entries(unitFlags(nodes.ours, "etcd")).filter(([flag]) =>
        flag.endsWith("key-file"),
    );
    const isSecret = (text: string) => /PRIVATE KEY|client-key-data/.test(text);
    const readable = Object.entries(nodes.planned).filter(
        ([, { mode, owner, text }]) =>
            isSecret(text) && (owner === "etcd:etcd" || !mode.endsWith("00")),
    );
    expect(readable.map(([path]) => path)).toEqual([...new Set(named.map(([, path]) => path))]);
});
