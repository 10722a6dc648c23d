import type { NodeHttp } from "./node-http";

/** What IMDS tells a node of itself: the proofs that open its first bundle. */
export interface NodeIdentity {
    readonly imdsToken: string;
    readonly vmId: number;
    readonly accessToken: string;
}

/**
 * Asks IMDS who this node is.
 *
 * @throws Error while IMDS does not answer as it should
 */
export async function askIdentity(http: NodeHttp, imdsUrl: string): Promise<NodeIdentity> {
    const get = async (path: string, imdsToken?: string): Promise<string> => {
        const answer = await http.call(`${imdsUrl}${path}`, {
            headers: imdsToken === undefined ? {} : { "x-exc-imds-token": imdsToken },
        });
        if (answer.status !== 200) {
            throw new Error(`IMDS ${path}: HTTP ${answer.status}`);
        }
        return answer.text;
    };
    const imdsToken = await get("/token");
    const identity = JSON.parse(await get("/latest/identity/node-identity", imdsToken)) as {
        node_id: number;
    };
    const access = JSON.parse(await get("/latest/identity/access-token", imdsToken)) as {
        access_token: string;
    };
    return { imdsToken, vmId: identity.node_id, accessToken: access.access_token };
}
