import { expect, test } from "@jest/globals";
import { CustomResource } from "@pulumi/pulumi";

import * as face from "../../../provider";
import { providerText } from "../../../provider/declare-resource";
import * as v1 from "../../../provider/v1";

// What these snapshots hold stands in the state files of every user: it never changes.

test("provider/v1 offers exactly these types", () => {
    expect(Object.keys(v1).sort()).toMatchInlineSnapshot(`
        [
          "BootstrapServerReadiness",
          "ClusterReadiness",
          "ClusterRegistration",
          "DnsRecord",
          "ImageBuilder",
          "ImageSlot",
          "MachineImage",
          "NodeAddress",
          "NodeBundle",
          "NodeSlot",
          "RandomBytes",
          "RoleFiles",
          "SecurityGroup",
          "VirtualMachine",
        ]
    `);
});

test("the text in state files names the code and nothing else", () => {
    expect(providerText("VirtualMachine")).toMatchInlineSnapshot(
        `"exports.handler = () => require("excloud-k8s/provider/v1").VirtualMachine;"`,
    );
});

test("every resource class has its handler, and every handler all operations", () => {
    const classes = Object.entries(face).filter(
        ([, value]) => (value as { prototype?: unknown }).prototype instanceof CustomResource,
    );
    expect(classes.map(([name]) => name).sort()).toEqual(Object.keys(v1).sort());
    for (const provider of Object.values(v1)) {
        expect(Object.keys(provider).sort()).toEqual(
            ["check", "configure", "create", "delete", "diff", "read", "update"].sort(),
        );
    }
});
