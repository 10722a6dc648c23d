import { randomBytes } from "node:crypto";

import { afterAll, beforeAll } from "@jest/globals";

import type { BootstrapServerOptions } from "../../../../bootstrap-server/src/options";
import { startPostgres, type TestPostgres } from "../../../../tools/postgres/postgres";
import { type ExcloudStandIn, startExcloudStandIn } from "./excloud-stand-in";
import { Harness } from "./harness";

/** A server on a real PostgreSQL, for all tests of a file. */
export class OnPostgres {
    readonly encryptionKeys = [randomBytes(32)] as const;
    excloud!: ExcloudStandIn;
    postgres!: TestPostgres;
    harness!: Harness;

    /** Starts it before the file's tests, and ends it after them. */
    constructor(private readonly options: Partial<BootstrapServerOptions> = {}) {
        beforeAll(async () => {
            this.excloud = await startExcloudStandIn();
            this.postgres = await startPostgres();
            this.harness = await this.replica();
        });
        afterAll(async () => {
            await this.harness.stop();
            await this.postgres.stop();
            await this.excloud.stop();
        });
    }

    /** Starts one more server on the same database; whoever starts it stops it. */
    replica(): Promise<Harness> {
        const { encryptionKeys, options } = this;
        const databaseUrl = this.postgres.url;
        return new Harness(this.excloud, { databaseUrl, encryptionKeys, ...options }).start();
    }
}
