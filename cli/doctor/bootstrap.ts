import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";

import { contractIn, contractNumber } from "../../contract/number";
import { publicOperations } from "../../contract/operator";
import type { BootstrapServer } from "../../provider/context";
import { ApiError, messageOf } from "../../provider/errors";
import { endOf, expiryWarning } from "../status-texts";
import { type Check, fail, type Finding, ok, warn } from "./check";
import type { Facts } from "./facts";
import { get, silence } from "./get";
import { needed, NotChecked } from "./needed";

const day = 24 * 60 * 60 * 1000;

/** The bootstrap servers of the stack. */
export const bootstrapChecks: readonly Check[] = [
    perServer("bootstrap server", async (server, facts) => {
        const { operatorUrl } = server;
        const status = await facts.health(server);
        if (status === 200) {
            return ok(`${operatorUrl} takes requests`);
        }
        return status === 418
            ? warn(`${operatorUrl} is about to end`, "wait until it has started again")
            : fail(
                  `GET ${operatorUrl}/health answered ${status}`,
                  "check the URL, and proxies on the way; look at the server's log",
              );
    }),
    perServer("bootstrap TLS", async (server, facts) => {
        await answers(server, facts);
        const { operatorUrl, caPem } = server;
        const socket = await handshake(operatorUrl, caPem);
        const { valid_to, issuer } = socket.getPeerCertificate();
        const { authorized, authorizationError } = socket;
        socket.destroy();
        const trust = caPem === undefined ? "the public authorities" : "bootstrap.caPem";
        if (!authorized) {
            return fail(
                `${operatorUrl} has a certificate of ${String(issuer.CN)} that ${trust} does not vouch for: ` +
                    reasonOf(authorizationError),
                caPem === undefined
                    ? "give the server's tls/ca.crt as bootstrap.caPem; before the first `up`, to this command as NODE_EXTRA_CA_CERTS"
                    : "give the tls/ca.crt of this server as bootstrap.caPem, or add the URL's name by its --host",
            );
        }
        const end = new Date(valid_to);
        const seen = `vouched for by ${trust}, ${endOf(end.toISOString(), facts.now)}`;
        return end.getTime() - facts.now.getTime() < expiryWarning * day
            ? warn(seen, "restart the server, which renews it within 30 days of its end")
            : ok(seen);
    }),
    perServer("bootstrap token", async (server, facts) => {
        await answers(server, facts);
        const call = (await facts.context()).bootstrap(server);
        try {
            // Any call behind the token will do; this one changes nothing.
            await call("getVmBinding", { vm_id: 1 });
        } catch (error) {
            if (!(error instanceof ApiError && error.isNotFound)) {
                throw error;
            }
        }
        return ok("accepted");
    }),
    perServer("bootstrap API", async (server, facts) => {
        await answers(server, facts);
        const { path } = publicOperations.getReadiness;
        const number = contractIn((await get(server.operatorUrl + path)).text);
        if (number === undefined) {
            return fail(
                `${server.operatorUrl} does not say which contract it has`,
                "check the URL, and proxies on the way; look at the server's log",
            );
        }
        return number >= contractNumber
            ? ok(`contract ${number}, this version ${contractNumber}`)
            : fail(
                  `contract ${number}, older than the ${contractNumber} of this version`,
                  "install the newest excloud-k8s-bootstrap and restart it; clusters keep running meanwhile",
              );
    }),
];

/** A check of each server; the worst of its findings. */
function perServer(
    name: string,
    look: (server: BootstrapServer, facts: Facts) => Promise<Finding>,
): Check {
    return {
        name,
        run: async (facts) => {
            const servers = await facts.servers();
            if (servers.length === 0) {
                throw new NotChecked(
                    "not checked: the stack has no cluster yet, and EXCLOUD_BOOTSTRAP_URL names no server",
                );
            }
            const findings = await Promise.all(servers.map((server) => look(server, facts)));
            const worst = (["fail", "warn", "ok"] as const).find((level) =>
                findings.some((finding) => finding.level === level),
            );
            return findings.find(({ level }) => level === worst)!;
        },
    };
}

async function handshake(url: string, caPem: string | undefined): Promise<TLSSocket> {
    const { hostname, port } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, "");
    const socket = connect({
        host,
        port: Number(port || 443),
        // An address has no server name.
        ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
        ...(caPem === undefined ? {} : { ca: caPem }),
        rejectUnauthorized: false,
        timeout: silence,
    });
    socket.once("timeout", () => socket.destroy(new Error("no answer")));
    await once(socket, "secureConnect");
    return socket;
}

async function answers(server: BootstrapServer, facts: Facts): Promise<void> {
    await needed(facts.health(server), "a bootstrap server that answers");
}

function reasonOf(error: unknown): string {
    return typeof error === "string" ? error : messageOf(error);
}
