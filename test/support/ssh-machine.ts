import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";

import { type Connection, Server, type ServerChannel, type Session, utils } from "ssh2";

/** By which keys a machine is known, and lets in. */
export interface SshIdentity {
    /** PEM. */
    readonly hostKey: string;
    /** One line, as OpenSSH writes it. */
    readonly authorizedKey: string;
}

/** What a command was given. */
export interface Executed {
    readonly command: string;
    readonly environment: Record<string, string>;
    readonly input: string;
}

/** An answer to a command. */
export interface Answer {
    readonly code: number;
    readonly stdout?: string;
    readonly stderr?: string;
}

/** An SSH server on loopback that runs nothing: it keeps what it was asked to run, and which files it was given. */
export interface SshMachine {
    readonly port: number;
    readonly executed: Executed[];
    readonly files: Record<string, string>;
    close(): Promise<void>;
}

const { STATUS_CODE } = utils.sftp;

/**
 * @param identity asked for at each connection; while it gives none, connections are closed
 * @param answer to a command
 */
export async function startSshMachine(
    identity: () => SshIdentity | undefined,
    answer: (command: string) => Answer = () => ({ code: 0 }),
): Promise<SshMachine> {
    const executed: Executed[] = [];
    const files: Record<string, string> = {};
    const sockets = new Set<Socket>();
    const listener = createServer((socket) => {
        sockets.add(socket);
        socket.on("close", () => sockets.delete(socket));
        socket.on("error", () => undefined);
        const keys = identity();
        if (keys === undefined) {
            socket.destroy();
            return;
        }
        const server = new Server({ hostKeys: [keys.hostKey] }, (client) => {
            client.on("error", () => undefined);
            authenticate(client, keys.authorizedKey);
            client.on("session", (accept) => serve(accept(), answer, executed, files));
        });
        server.injectSocket(socket);
    });
    listener.listen(0, "127.0.0.1");
    await once(listener, "listening");
    return {
        port: (listener.address() as AddressInfo).port,
        executed,
        files,
        close: async () => {
            sockets.forEach((socket) => socket.destroy());
            listener.close();
            await once(listener, "close");
        },
    };
}

function authenticate(client: Connection, authorizedKey: string): void {
    const wanted = authorizedKey.trim().split(" ")[1];
    client.on("authentication", (context) => {
        const isIt =
            context.method === "publickey" && context.key.data.toString("base64") === wanted;
        if (isIt && context.username === "root") {
            context.accept();
        } else {
            context.reject(["publickey"]);
        }
    });
}

function serve(
    session: Session,
    answer: (command: string) => Answer,
    executed: Executed[],
    files: Record<string, string>,
): void {
    const environment: Record<string, string> = {};
    session.on("env", (_accept, _reject, { key, val }) => {
        environment[key] = val;
    });
    session.on("exec", (accept, _reject, { command }) => {
        const channel: ServerChannel = accept();
        let input = "";
        channel.on("data", (chunk: Buffer) => (input += chunk.toString()));
        channel.on("end", () => {
            executed.push({ command, environment, input });
            const { code, stdout = "", stderr = "" } = answer(command);
            channel.write(stdout);
            channel.stderr.write(stderr);
            channel.exit(code);
            channel.end();
        });
    });
    session.on("sftp", (accept) => {
        const sftp = accept();
        let path = "";
        sftp.on("OPEN", (id, name) => {
            path = name;
            files[path] = "";
            sftp.handle(id, Buffer.from("one"));
        });
        sftp.on("WRITE", (id, _handle, _offset, data) => {
            files[path] += data.toString();
            sftp.status(id, STATUS_CODE.OK);
        });
        for (const event of ["FSETSTAT", "CLOSE"] as const) {
            sftp.on(event, (id: number) => sftp.status(id, STATUS_CODE.OK));
        }
    });
}
