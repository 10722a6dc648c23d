import { askServer } from "../control/client";
import { StartupError } from "../errors";
import type { createOperatorToken, listOperatorTokens } from "../service/operator-tokens";
import { printTable } from "./table";

const path = "/local/operator-tokens";
type Created = Awaited<ReturnType<typeof createOperatorToken>>;
type Listed = Awaited<ReturnType<typeof listOperatorTokens>>;

/** Makes an operator token and prints it; it is kept nowhere. */
export async function createToken(
    name: string,
    { dataDir, days }: { dataDir: string; days?: string },
): Promise<void> {
    if (days !== undefined && !/^[1-9][0-9]{0,3}$/.test(days)) {
        throw new StartupError(`--days is "${days}": use a number of days, at most 3650`);
    }
    const body = { name, ...(days === undefined ? {} : { days: Number(days) }) };
    const { token } = await askServer<Created>(dataDir, { method: "POST", path, body });
    console.log(token);
}

/** Prints the names of all operator tokens, and which still work. */
export async function listTokens({ dataDir }: { dataDir: string }): Promise<void> {
    const { tokens } = await askServer<Listed>(dataDir, { method: "GET", path });
    printTable([
        ["NAME", "MADE", "EXPIRES", "REVOKED"],
        ...tokens.map((one) => [
            one.name,
            one.created_at,
            one.expires_at ?? "never",
            one.revoked_at ?? "",
        ]),
    ]);
}

/** Ends an operator token at once. */
export async function revokeToken(name: string, { dataDir }: { dataDir: string }): Promise<void> {
    await askServer(dataDir, { method: "DELETE", path: `${path}/${encodeURIComponent(name)}` });
    console.log(`revoked ${name}: no server of this database takes it any more`);
}
