import { invalid } from "../http/errors";
import { instanceTypes, zoneId } from "../state/catalog";
import type { Handlers } from "./handler";

/**
 * Refuses a zone that does not exist. Absent means "all zones".
 *
 * @throws ApiError 400
 */
export function checkZone(zone: number | undefined): void {
    if (zone !== undefined && zone !== zoneId) {
        throw invalid("compute.zone.unknown", `zone ${zone} does not exist`);
    }
}

export const catalogHandlers: Handlers<"imageList" | "instanceTypeList" | "subnetList"> = {
    imageList: ({ stores }) => stores.images(),
    instanceTypeList: () => [...instanceTypes],
    subnetList: ({ stores }, request) => {
        checkZone(request.zone_id);
        return stores.subnets.list();
    },
};
