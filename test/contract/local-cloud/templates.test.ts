import { expect, test } from "@jest/globals";

import { checkBundle } from "../../../local-cloud/src/nodes/check/index";
import { parseUserData } from "../../../local-cloud/src/nodes/user-data";
import {
    clusterSettings,
    type ClusterSettingsArgs,
    nodeFilesFor,
    renderUserData,
    type Values,
} from "../../../nodes";
import {
    authorities as authorityList,
    clusterCertificates,
    nodeCertificates,
    serviceAccountFiles,
} from "../../../nodes/certificates";
import {
    type Authorities,
    goodDraft,
    makeAuthorities,
    nodeName,
    seal,
} from "../../unit/local-cloud/support/bundle";
import { issue, type Issued } from "../../unit/local-cloud/support/pki";

const clusterId = 42;
const address = "127.64.9.11";

/** What the component puts into a bundle, with certificates of the test's own CAs. */
async function renderedBundle(ca: Authorities, args: ClusterSettingsArgs) {
    const settings = clusterSettings(args);
    const draft = await goodDraft(ca, { clusterId, number: 1, address });
    const { bundle } = draft;
    const serviceAccount = { ...bundle.files };
    bundle.files = {};
    bundle.attributes = {};
    const put = (file: string, content: string, mode: string, owner: string): void => {
        bundle.files[file] = content;
        bundle.attributes[file] = { mode, owner };
    };
    const values = {
        settings,
        clusterId,
        clusterName: bundle.cluster_name,
        dnsName: `${bundle.cluster_name}.k8s.excloud.co.in`,
        nodeName: nodeName(clusterId, 1),
        role: "control-plane",
        privateIpv4: address,
        privateIpv6: "",
        publicIpv4: "",
    } as Values;
    const pems = values as unknown as Record<string, string>;
    const ofAuthority = {
        "cluster-ca": ca.cluster,
        "etcd-ca": ca.etcd,
        "front-proxy-ca": ca.frontProxy,
    };
    const record = (name: string, issued: Issued): void => {
        pems[`cert:${name}`] = issued.certificate;
        pems[`key:${name}`] = issued.key;
    };
    for (const { name, path } of authorityList) {
        record(name, ofAuthority[name]);
        put(path, ofAuthority[name].certificate, "0644", "root:root");
    }
    for (const certificate of [...clusterCertificates, ...nodeCertificates]) {
        const names =
            certificate.scope === "node"
                ? (certificate.subjectAltNames?.(values, {
                      dnsName: values.dnsName,
                      clusterDomain: settings.clusterDomain,
                      serviceClusterIp: settings.serviceClusterIp,
                      extraSans: [],
                  }) ?? [])
                : [];
        const issued = await issue(ofAuthority[certificate.authority], {
            commonName:
                certificate.scope === "node"
                    ? certificate.commonName(values.nodeName)
                    : certificate.commonName,
            organizations: certificate.organization === undefined ? [] : [certificate.organization],
            usages: certificate.usages,
            names: names.filter((name) => name !== "" && !name.includes(":")),
        });
        record(certificate.name, issued);
        if (certificate.files !== undefined) {
            const { certificate: file, key, owner } = certificate.files;
            put(file, issued.certificate, "0644", owner);
            put(key, issued.key, "0600", owner);
        }
    }
    put(
        serviceAccountFiles.publicKey,
        serviceAccount[serviceAccountFiles.publicKey] ?? "",
        "0644",
        "root:root",
    );
    put(
        serviceAccountFiles.key,
        serviceAccount[serviceAccountFiles.key] ?? "",
        "0600",
        "root:root",
    );
    for (const scope of ["role", "node"] as const) {
        for (const spec of nodeFilesFor(settings, "control-plane", scope)) {
            put(spec.path, spec.render(values), spec.mode, spec.owner);
        }
    }
    return seal(draft);
}

test.each<[string, ClusterSettingsArgs]>([
    ["by default", {}],
    [
        "with another service network and domain",
        { serviceCidr: "10.200.0.0/16", clusterDomain: "k.test" },
    ],
    ["without a CNI", { cni: "none" }],
])("a simulated node accepts the rendered files %s", async (_how, args) => {
    const bundle = await renderedBundle(await makeAuthorities(), args);
    expect(Object.keys(bundle.files).length).toBeGreaterThan(40);
    expect(checkBundle(bundle, address)).toEqual([]);
});

test("a simulated node reads the rendered user data", () => {
    const settings = {
        bootstrapUrl: "https://127.0.0.1:8443",
        bootstrapCaPem: "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n",
        slotSecret: "it's",
        role: "control-plane",
        verifierMode: "selfHosted",
    } as const;
    expect(parseUserData(renderUserData(settings))).toEqual({
        baseUrl: settings.bootstrapUrl,
        role: settings.role,
        verifierMode: settings.verifierMode,
        slotSecret: settings.slotSecret,
        caPem: settings.bootstrapCaPem,
    });
});
