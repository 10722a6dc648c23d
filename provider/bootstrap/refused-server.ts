import { contractNumber } from "../../contract/number";
import type { BootstrapServer, Context } from "../context";
import { type Failure, isUnknown } from "../handler";

/**
 * Refuses a change at a bootstrap server that is older than this program: it would not understand what the
 * program puts there. A server that does not answer, or whose URL is not known yet, is not refused.
 */
export async function refusedServer(inputs: object, context: Context): Promise<Failure[]> {
    const { bootstrap: server } = inputs as { bootstrap?: BootstrapServer };
    if (server === undefined || isUnknown(server)) {
        return [];
    }
    const contract = await context.contractOf(server);
    return contract === undefined || contract.number >= contractNumber
        ? []
        : [
              {
                  // The engine would print the value of a property, a certificate with it.
                  property: "",
                  reason:
                      `the bootstrap server at ${contract.url} is older than this program: it has contract ` +
                      `${contract.number}, the program ${contractNumber}. Next: upgrade the server first: install ` +
                      "the newest excloud-k8s-bootstrap and restart it; clusters keep running meanwhile",
              },
          ];
}
