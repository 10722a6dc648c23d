import type { FastifyBaseLogger } from "fastify";
import type { Clock } from "./store/clock";
import type { Keyring } from "./store/keyring";
import type { Db } from "./store/schema";
import type { Mode } from "./options";
import type { OperatorVerifier } from "./verify/operator";
import type { Verifier } from "./verify/verifier";

/** What the services work with. */
export interface Context {
    db: Db;
    keyring: Keyring;
    clock: Clock;
    /** The organisation this server serves; clusters of others are not seen. */
    orgId: number;
    mode: Mode;
    verifier: Verifier;
    operators: OperatorVerifier;
    log: FastifyBaseLogger;
}
