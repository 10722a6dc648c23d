import { type Selectable, sql } from "kysely";

import type { Context } from "../context";
import { dataPaths, keptOperatorToken, readIfThere } from "../data-dir";
import { ApiError, StartupError } from "../errors";
import { newToken, sha256 } from "../secrets";
import type { Db, OperatorTokensTable, Trx } from "../store/schema";

type TokenRow = Selectable<OperatorTokensTable>;

/** Name of the token that the server's environment gives. */
const environmentName = "environment";

function isValid(row: TokenRow, now: Date): boolean {
    return (
        row.revoked_at === null &&
        (row.expires_at === null || row.expires_at.getTime() > now.getTime())
    );
}

function rowOf(trx: Trx, name: string): Promise<TokenRow | undefined> {
    return trx
        .selectFrom("bootstrap_operator_tokens")
        .selectAll()
        .where("name", "=", name)
        .executeTakeFirst();
}

async function insert(trx: Trx, name: string, token: string, now: Date): Promise<void> {
    const columns = { sha256: sha256(token), created_at: now.toISOString() };
    await trx
        .insertInto("bootstrap_operator_tokens")
        .values({ name, ...columns })
        .onConflict((conflict) =>
            conflict.column("name").doUpdateSet({ ...columns, expires_at: null, revoked_at: null }),
        )
        .execute();
}

/** The environment's token: another one than before takes its place, a revoked one is refused. */
async function acceptGiven(trx: Trx, token: string, now: Date): Promise<void> {
    const row = await rowOf(trx, environmentName);
    if (row?.sha256 !== sha256(token)) {
        return insert(trx, environmentName, token, now);
    }
    if (row.revoked_at === null) {
        return;
    }
    throw new StartupError(
        `EXCLOUD_BOOTSTRAP_TOKEN is the token that was revoked at ${row.revoked_at.toISOString()}: give another one, or none`,
    );
}

/** The data folder's token: made while there is no other, and known since then as any other. */
async function acceptKept(trx: Trx, dataDir: string, now: Date): Promise<string | undefined> {
    const present = await readIfThere(dataPaths(dataDir).operatorToken);
    if (present === undefined) {
        const rows = await trx.selectFrom("bootstrap_operator_tokens").selectAll().execute();
        if (rows.some((row) => isValid(row, now))) {
            return undefined;
        }
    }
    const token = await keptOperatorToken(dataDir);
    const name = `data-folder-${sha256(token).slice(0, 8)}`;
    const row = await rowOf(trx, name);
    if (!row) {
        await insert(trx, name, token, now);
    }
    return row && !isValid(row, now) ? undefined : token;
}

/**
 * Makes sure of a first token: that of the environment, or one in the data folder. Returns the one
 * this server knows in clear; undefined when operators have others. Throws StartupError.
 */
export async function firstOperatorToken(
    { db, clock }: Pick<Context, "db" | "clock">,
    dataDir: string,
    given: string | undefined,
): Promise<string | undefined> {
    return db.transaction().execute(async (trx) => {
        // Replicas that start together on an empty database make one token, not one each.
        await sql`LOCK TABLE bootstrap_operator_tokens IN EXCLUSIVE MODE`.execute(trx);
        const now = await clock(trx);
        if (given === undefined) {
            return acceptKept(trx, dataDir, now);
        }
        await acceptGiven(trx, given, now);
        return given;
    });
}

function nameUsed(name: string): ApiError {
    return new ApiError(
        409,
        "bootstrap.token.name_used",
        `an operator token called ${name} was made before: choose another name`,
    );
}

const day = 24 * 60 * 60 * 1000;

/** Makes a token and returns it, the only time it is seen. Throws 409 for a name that was used. */
export async function createOperatorToken(
    { db, clock }: Context,
    { name, days }: { name: string; days?: number },
) {
    const token = newToken();
    const now = await clock(db);
    if (name === environmentName) {
        throw nameUsed(name);
    }
    const expires_at =
        days === undefined ? null : new Date(now.getTime() + days * day).toISOString();
    const { numInsertedOrUpdatedRows } = await db
        .insertInto("bootstrap_operator_tokens")
        .values({ name, sha256: sha256(token), created_at: now.toISOString(), expires_at })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
    if (numInsertedOrUpdatedRows !== 1n) {
        throw nameUsed(name);
    }
    return { name, token, expires_at };
}

/** Every token ever made, the oldest first, without what it is. */
export async function listOperatorTokens({ db }: { db: Db }) {
    const rows = await db
        .selectFrom("bootstrap_operator_tokens")
        .selectAll()
        .orderBy("created_at")
        .execute();
    return {
        tokens: rows.map(({ name, created_at, expires_at, revoked_at }) => ({
            name,
            created_at: created_at.toISOString(),
            expires_at: expires_at?.toISOString() ?? null,
            revoked_at: revoked_at?.toISOString() ?? null,
        })),
    };
}

/** Ends a token at once, on every replica. Throws 404. */
export async function revokeOperatorToken({ db, clock }: Context, name: string): Promise<void> {
    const now = await clock(db);
    const { numUpdatedRows } = await db
        .updateTable("bootstrap_operator_tokens")
        .set({ revoked_at: now.toISOString() })
        .where("name", "=", name)
        .where("revoked_at", "is", null)
        .executeTakeFirst();
    if (numUpdatedRows === 1n) {
        return;
    }
    throw new ApiError(
        404,
        "bootstrap.token.not_found",
        `there is no operator token called ${name} that could be revoked`,
    );
}
