import type { ConfigReader } from "../provider/credentials";
import type { Pulumi } from "./pulumi";

/** The stack's configuration with its secrets, as a provider reads it. */
export async function configOf(pulumi: Pulumi): Promise<ConfigReader> {
    const printed = await pulumi.read(["config", "--show-secrets", "--json", ...pulumi.stackFlags]);
    const values = JSON.parse(printed) as Record<string, { value?: string }>;
    return (key) => values[key]?.value;
}
