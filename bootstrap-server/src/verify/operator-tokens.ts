import { matchesDigest, sha256 } from "../secrets";
import type { Clock } from "../store/clock";
import type { Db } from "../store/schema";
import type { OperatorVerifier } from "./operator";

/** The tokens of the database, by SHA-256: neither revoked nor expired. */
export function tokensOperator(db: Db, clock: Clock): OperatorVerifier {
    return {
        async verify(presented) {
            const now = await clock(db);
            const rows = await db
                .selectFrom("bootstrap_operator_tokens")
                .selectAll()
                .where("sha256", "=", sha256(presented))
                .where("revoked_at", "is", null)
                .execute();
            const row = rows.find(
                ({ expires_at }) => expires_at === null || expires_at.getTime() > now.getTime(),
            );
            if (!row || !matchesDigest(presented, row.sha256)) {
                return undefined;
            }
            return { name: `token ${row.name}` };
        },
    };
}
