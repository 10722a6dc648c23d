import { notFound } from "../http/errors";
import type { Handlers } from "./handler";

/** Ids of images that come with the cloud lie below. */
const firstId = 1001;

export const snapshotHandlers: Handlers<"snapshotCreate" | "snapshotList" | "snapshotDelete"> = {
    snapshotCreate: ({ stores, disks }, request) => {
        const volume = stores.volumes.get(request.volume_id);
        if (volume === undefined) {
            throw notFound("compute.volume", request.volume_id);
        }
        const snapshot = stores.snapshots.put({
            id: stores.next("snapshot", firstId),
            volume_id: volume.id,
            zone_id: volume.zone_id,
            size_bytes: volume.size_bytes,
            is_ami: request.is_ami ?? false,
            state: "CREATING",
            name: request.name,
            created_at: new Date().toISOString(),
        });
        const enter = (state: string) => () => {
            const current = stores.snapshots.get(snapshot.id);
            if (current !== undefined) {
                stores.snapshots.put({ ...current, state });
            }
        };
        const vm = stores.vms.list().find(({ root_volume_id: id }) => id === volume.id);
        disks.copy(vm?.vm_id, snapshot.id).then(enter("AVAILABLE"), enter("ERROR"));
        return snapshot;
    },
    snapshotList: ({ stores }) => stores.snapshots.list(),
    snapshotDelete: ({ stores, disks }, request) => {
        if (stores.snapshots.get(request.snapshot_id) === undefined) {
            throw notFound("compute.snapshot", request.snapshot_id);
        }
        stores.snapshots.delete(request.snapshot_id);
        disks.erase(request.snapshot_id);
        return undefined;
    },
};
