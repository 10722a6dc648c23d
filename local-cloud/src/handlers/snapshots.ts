import { notFound } from "../http/errors";
import type { Handlers } from "./handler";

export const snapshotHandlers: Handlers<"snapshotCreate" | "snapshotList" | "snapshotDelete"> = {
    snapshotCreate: ({ stores }, request) => {
        const volume = stores.volumes.get(request.volume_id);
        if (volume === undefined) throw notFound("compute.volume", request.volume_id);
        return stores.snapshots.put({
            id: stores.next("snapshot"),
            volume_id: volume.id,
            zone_id: volume.zone_id,
            size_bytes: volume.size_bytes,
            is_ami: false,
            state: "AVAILABLE",
            name: request.name,
            created_at: new Date().toISOString(),
        });
    },
    snapshotList: ({ stores }) => stores.snapshots.list(),
    snapshotDelete: ({ stores }, request) => {
        if (stores.snapshots.get(request.snapshot_id) === undefined) {
            throw notFound("compute.snapshot", request.snapshot_id);
        }
        stores.snapshots.delete(request.snapshot_id);
        return undefined;
    },
};
