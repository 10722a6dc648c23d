import { spawn } from "node:child_process";
import { once } from "node:events";
import * as path from "node:path";
import { createInterface } from "node:readline";

import * as grpc from "@grpc/grpc-js";

/** The compiled stand-ins; `npm test` compiles before it runs. */
export const STAND_INS = path.resolve(__dirname, "../../../tools/dist/stand-ins");

/** A stand-in as the engine starts it, reached over gRPC. */
export interface PluginProcess {
    /** Calls a method and gives its response, or throws the call's error. */
    call<Request, Response>(
        method: grpc.MethodDefinition<Request, Response>,
        request: Request,
    ): Promise<Response>;
    stop(): Promise<void>;
}

/** Starts a stand-in and reads its port from the first line it prints. */
export async function startPlugin(folder: string, args: readonly string[]): Promise<PluginProcess> {
    const child = spawn(process.execPath, [path.join(STAND_INS, folder, "main.js"), ...args], {
        stdio: ["ignore", "pipe", "inherit"],
    });
    const [port] = (await once(createInterface(child.stdout), "line")) as [string];
    const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    return {
        call: (method, request) =>
            new Promise((resolve, reject) => {
                client.makeUnaryRequest(
                    method.path,
                    method.requestSerialize,
                    method.responseDeserialize,
                    request,
                    (error, response) =>
                        response === undefined
                            ? reject(error ?? new Error("no answer"))
                            : resolve(response),
                );
            }),
        stop: async () => {
            client.close();
            const ended = once(child, "exit");
            child.kill("SIGINT");
            await ended;
        },
    };
}
