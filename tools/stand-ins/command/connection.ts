import { setTimeout as sleep } from "node:timers/promises";

import { Client, type ClientChannel, type SFTPWrapper } from "ssh2";

import {
    isUnknown,
    optionalNumber,
    optionalString,
    type Properties,
    record,
    requiredString,
} from "../plugin/properties";
import type { Failure } from "../plugin/provider";
import { CONNECTION_INPUTS } from "./names";

/** The provider's defaults: errors until it gives up, and seconds of one try. */
const DIAL_ERROR_LIMIT = 10;
const PER_DIAL_TIMEOUT = 15;

const pauseMs = 1000;

/** What a command left. */
export interface Ran {
    readonly stdout: string;
    readonly stderr: string;
}

/** A connection to a machine. */
export class Remote {
    private constructor(private readonly client: Client) {}

    /**
     * Does something over a connection of its own.
     *
     * @throws when the machine is not reached, is another one, or lets nobody in; the message names no key
     */
    static async use<T>(inputs: Properties, work: (remote: Remote) => Promise<T>): Promise<T> {
        const client = await dial(record(inputs, "connection"));
        try {
            return await work(new Remote(client));
        } finally {
            client.end();
        }
    }

    /** @throws when it ends with another code than 0; the message holds the end of what it printed */
    async run(command: string, environment: Properties, input = ""): Promise<Ran> {
        const channel = await new Promise<ClientChannel>((resolve, reject) =>
            this.client.exec(command, { env: environment as NodeJS.ProcessEnv }, (error, opened) =>
                error ? reject(error) : resolve(opened),
            ),
        );
        let stdout = "";
        let stderr = "";
        channel.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
        channel.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
        channel.end(input);
        const code = await new Promise<number | string>((resolve) => {
            let ended: number | string = "the end of the connection";
            channel.on("exit", (status: number | null, signal?: string) => {
                ended = status ?? `signal ${signal ?? "unknown"}`;
            });
            channel.on("close", () => resolve(ended));
        });
        if (code !== 0) {
            throw new Error(`the command ended with ${code}:\n${stdout}${stderr}`);
        }
        return { stdout: stdout.replace(/\n$/, ""), stderr: stderr.replace(/\n$/, "") };
    }

    async write(path: string, content: Buffer): Promise<void> {
        const sftp = await new Promise<SFTPWrapper>((resolve, reject) =>
            this.client.sftp((error, opened) => (error ? reject(error) : resolve(opened))),
        );
        await new Promise<void>((resolve, reject) =>
            sftp.writeFile(path, content, (error) =>
                error ? reject(new Error(`cannot write ${path}: ${error.message}`)) : resolve(),
            ),
        );
    }
}

/** Faults of the inputs that every remote resource has. */
export function connectionFailures(inputs: Properties): Failure[] {
    const connection = inputs["connection"];
    if (isUnknown(connection)) {
        return [];
    }
    const given = Object.entries(record(inputs, "connection"))
        .filter(([, value]) => value !== undefined && value !== null)
        .map(([name]) => name);
    const fault = (reason: string): Failure => ({ property: "connection", reason });
    return [
        ...(given.includes("host") ? [] : [fault("host is missing: give it to the resource")]),
        ...given
            .filter((name) => !(CONNECTION_INPUTS as readonly string[]).includes(name))
            .map((name) => fault(`${name} is not known`)),
        ...given
            .filter((name) => name === "proxy" || name === "agentSocketPath")
            .map((name) =>
                fault(
                    `the stand-in for the command plugin does not support ${name}: use the official plugin`,
                ),
            ),
    ];
}

async function dial(connection: Properties): Promise<Client> {
    const limit = optionalNumber(connection, "dialErrorLimit") ?? DIAL_ERROR_LIMIT;
    for (let errors = 1; ; errors++) {
        try {
            return await dialOnce(connection);
        } catch (error) {
            if (limit !== -1 && errors > limit) {
                const host = requiredString(connection, "host");
                const reason = error instanceof Error ? error.message : String(error);
                throw new Error(`cannot log in to ${host} after ${errors} tries: ${reason}`, {
                    cause: error,
                });
            }
        }
        await sleep(pauseMs);
    }
}

function dialOnce(connection: Properties): Promise<Client> {
    const text = (name: string) => optionalString(connection, name);
    const [privateKey, passphrase, password] = [
        text("privateKey"),
        text("privateKeyPassword"),
        text("password"),
    ];
    const hostKey = text("hostKey")?.trim().split(/\s+/)[1];
    const timeout = optionalNumber(connection, "perDialTimeout") ?? PER_DIAL_TIMEOUT;
    const client = new Client();
    return new Promise((resolve, reject) => {
        client.on("ready", () => resolve(client));
        client.on("error", (error) => {
            client.end();
            reject(error);
        });
        client.connect({
            host: requiredString(connection, "host"),
            port: optionalNumber(connection, "port") ?? 22,
            username: text("user") ?? "root",
            ...(privateKey === undefined ? {} : { privateKey }),
            ...(passphrase === undefined ? {} : { passphrase }),
            ...(password === undefined ? {} : { password }),
            readyTimeout: timeout * 1000,
            // A machine that vanished shows.
            keepaliveInterval: 10_000,
            hostVerifier: (key: Buffer) =>
                hostKey === undefined || key.toString("base64") === hostKey,
        });
    });
}
