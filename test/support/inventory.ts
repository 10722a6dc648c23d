import { request } from "undici";

import type { Services } from "../../tools/playground/services";

/** Everything that a local cloud still holds and that costs or lingers. */
export async function inventoryOf({
    computeUrl,
    environment,
}: Pick<Services, "computeUrl" | "environment">): Promise<Record<string, unknown[]>> {
    const answer = await request(`${computeUrl}/_local/inventory`, {
        headers: { authorization: `Bearer ${environment["EXCLOUD_API_KEY"]}` },
    });
    return (await answer.body.json()) as Record<string, unknown[]>;
}
