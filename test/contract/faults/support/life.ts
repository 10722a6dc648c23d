import { setTimeout as sleep } from "node:timers/promises";

import { cluster, ofImage, type Variant } from "./program";
import { SmallEngine } from "./small-engine";
import type { World } from "./world";

let clusters = 0;

/** How the security groups are named that are the user's own. */
const usersPrefix = "users-own-";

/** A cluster and an image of its own in a world that is shared, from nothing to nothing. */
export class Life {
    readonly engine = new SmallEngine();
    private readonly program: ReturnType<typeof cluster>;
    readonly variants: { readonly first: Variant; readonly second: Variant };

    /** @param hasImage whether there is an image beside the cluster */
    constructor(
        private readonly world: World,
        private readonly hasImage = true,
    ) {
        clusters += 1;
        const usersOwn = (which: string) => {
            const name = `${usersPrefix}${clusters}-${which}`;
            return world.cloud.call("securityGroupCreate", { name }).id;
        };
        this.program = cluster(`organization/matrix/cell-${clusters}`, world.contextOf);
        this.variants = {
            first: {
                ports: ["22", "6443"],
                text: "one",
                groups: [usersOwn("a")],
                ttl: 60,
                addresses: ["127.8.8.1"],
            },
            second: {
                ports: ["443", "6443"],
                text: "two",
                groups: [usersOwn("b")],
                ttl: 120,
                addresses: ["127.8.8.2"],
            },
        };
    }

    /** Gives the operations that were needed. */
    up(variant: Variant): Promise<string[]> {
        const declared = this.program(variant);
        return this.engine.up(
            this.hasImage ? declared : declared.filter(({ name }) => !ofImage.includes(name)),
        );
    }

    /** Stops the VM behind the engine's back. */
    async stopVm(): Promise<void> {
        const { cloud } = this.world;
        const vm_id = Number(this.engine.idOf("vm"));
        cloud.call("vmStop", { vm_id });
        while (cloud.call("vmGet", { vm_id }).state !== "STOPPED") {
            await sleep(2);
        }
    }

    /** In which ways the cloud does not hold exactly what is declared. */
    differences(variant: Variant): string[] {
        const { vms, volumes, snapshots, records, securityGroups } = this.world.cloud.inventory();
        const interfaces = vms.flatMap(
            ({ vm_id }) => this.world.cloud.call("vmGet", { vm_id }).interfaces ?? [],
        );
        const [own] = securityGroups.filter(({ name }) => !name.startsWith(usersPrefix));
        const rules = own
            ? this.world.cloud.call("ruleList", { security_group_id: own.id })
            : undefined;
        const found = {
            vms: vms.map(({ vm_id, state }) => `${vm_id} ${state}`),
            volumes: volumes.length,
            images: snapshots.map(({ id, name, is_ami }) => `${id} ${name} ${is_ami}`),
            groups: securityGroups.length,
            bound: interfaces.flatMap(({ security_group_ids }) => security_group_ids),
            rules: rules?.map((rule) => rule.port_range).sort(),
            records: records.map(({ name, value, ttl }) => `${name} ${value} ${ttl}`).sort(),
        };
        const wanted = {
            vms: [`${this.engine.idOf("vm")} RUNNING`],
            volumes: 1,
            images: this.hasImage
                ? [`${this.engine.idOf("image")} ${own?.name}-image-${variant.text} true`]
                : [],
            groups: 3,
            bound: [own?.id, ...variant.groups],
            rules: [...variant.ports].sort(),
            records: [...variant.addresses, ...interfaces.map(({ ipv4 }) => ipv4)]
                .map((address) => `${own?.name} ${address} ${variant.ttl}`)
                .sort(),
        };
        return (Object.keys(wanted) as (keyof typeof wanted)[])
            .filter((what) => JSON.stringify(found[what]) !== JSON.stringify(wanted[what]))
            .map(
                (what) =>
                    `${what} are ${JSON.stringify(found[what])}, not ${JSON.stringify(wanted[what])}`,
            );
    }

    /** What is in the cloud and not the user's own. */
    left(): string[] {
        return Object.entries(this.world.cloud.inventory())
            .flatMap(([what, things]) =>
                (things as { name?: string }[]).map((thing) => ({ what, ...thing })),
            )
            .filter(({ name = "" }) => !name.startsWith(usersPrefix))
            .map((thing) => JSON.stringify(thing));
    }

    /** Empties the cloud, so that one cell does not show in the next. */
    async sweep(): Promise<void> {
        const { cloud } = this.world;
        for (;;) {
            const { vms, snapshots, securityGroups, records } = cloud.inventory();
            for (const { vm_id, state } of vms) {
                if (state !== "TERMINATING") {
                    cloud.terminateVm(vm_id);
                }
            }
            for (const record of records) {
                cloud.deleteRecord(record);
            }
            for (const { id } of snapshots) {
                cloud.call("snapshotDelete", { snapshot_id: id });
            }
            if (vms.length === 0) {
                for (const { id } of securityGroups) {
                    cloud.call("securityGroupDelete", { security_group_id: id });
                }
                return;
            }
            await sleep(5);
        }
    }
}
