import { askServer } from "../control/client";

/** Prints what the running server says of itself; fails when it drains, or when none runs. */
export async function health({ dataDir }: { dataDir: string }): Promise<void> {
    const { status } = await askServer<{ status: string }>(dataDir, {
        method: "GET",
        path: "/health",
    });
    console.log(status);
}
