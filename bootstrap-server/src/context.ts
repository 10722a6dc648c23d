import type { FastifyBaseLogger } from "fastify";

import type { VerifierMode } from "#contract/verifier";

import type { Metrics } from "./metrics";
import type { BundleCache } from "./service/bundle-cache";
import type { Clock } from "./store/clock";
import type { Keyring } from "./store/keyring";
import type { Db } from "./store/schema";
import type { OperatorVerifier } from "./verify/operator";
import type { Verifier } from "./verify/verifier";

/** What the services work with. */
export interface Context {
    db: Db;
    keyring: Keyring;
    clock: Clock;
    /** The organisation this server serves; clusters of others are not seen. */
    orgId: number;
    mode: VerifierMode;
    verifier: Verifier;
    operators: OperatorVerifier;
    bundles: BundleCache;
    metrics: Metrics;
    log: FastifyBaseLogger;
}
