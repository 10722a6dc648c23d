import * as path from "node:path";

import { images } from "./catalog";
import type {
    GroupRow,
    ImageRow,
    RecordRow,
    ReservationRow,
    RuleRow,
    SequenceRow,
    SnapshotRow,
    SubnetRow,
    TokenRow,
    VmRow,
    VolumeRow,
    ZoneRow,
} from "./model";
import { Store } from "./store";

/** What a new cloud holds. */
export interface InitialContent {
    readonly subnets: readonly SubnetRow[];
    readonly zones: readonly ZoneRow[];
}

/** Key of a DNS record: the API identifies a record by its full content. */
export const recordKey = (
    record: Pick<RecordRow, "zone_name" | "type" | "name" | "value">,
): string => [record.zone_name, record.type, record.name, record.value].join(" ");

/** All that the cloud knows, one JSON file per kind in the folder. */
export class Stores {
    readonly vms: Store<VmRow>;
    readonly volumes: Store<VolumeRow>;
    readonly reservations: Store<ReservationRow>;
    readonly snapshots: Store<SnapshotRow>;
    readonly groups: Store<GroupRow>;
    readonly rules: Store<RuleRow>;
    readonly subnets: Store<SubnetRow>;
    readonly zones: Store<ZoneRow>;
    readonly records: Store<RecordRow>;
    readonly tokens: Store<TokenRow>;
    private readonly sequences: Store<SequenceRow>;

    constructor(folder: string, initial: InitialContent) {
        const file = (name: string): string => path.join(folder, `${name}.json`);
        this.vms = new Store(file("vms"), (row) => row.vm_id);
        this.volumes = new Store(file("volumes"), (row) => row.id);
        this.reservations = new Store(file("reservations"), (row) => row.id);
        this.snapshots = new Store(file("snapshots"), (row) => row.id);
        this.groups = new Store(file("security-groups"), (row) => row.id);
        this.rules = new Store(file("security-group-rules"), (row) => row.id);
        this.subnets = new Store(file("subnets"), (row) => row.id, initial.subnets);
        this.zones = new Store(file("dns-zones"), (row) => row.name, initial.zones);
        this.records = new Store<RecordRow>(file("dns-records"), recordKey);
        this.tokens = new Store(file("tokens"), (row) => row.hash);
        this.sequences = new Store(file("sequences"), (row) => row.name);
    }

    /** The images that come with the cloud, and those that were made of VMs. */
    images(): ImageRow[] {
        const made = this.snapshots
            .list()
            .filter((snapshot) => snapshot.is_ami && snapshot.state === "AVAILABLE")
            .map(({ id, name }) => ({ id, name }));
        return [...images, ...made];
    }

    /** The next number of a sequence; numbers are never given out twice, as in the cloud. */
    next(name: string, first = 1): number {
        const last = this.sequences.get(name)?.last ?? first - 1;
        return this.sequences.put({ name, last: last + 1 }).last;
    }
}
