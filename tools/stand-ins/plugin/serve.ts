import * as grpc from "@grpc/grpc-js";

/** How often a plugin looks whether the engine that started it still runs, in milliseconds. */
const parentPollMs = 1000;

/** Messages carry whole bundles of files, so the limit is the engine's own: 400 MiB. */
const MAX_MESSAGE_BYTES = 400 * 1024 * 1024;

/**
 * Serves one Pulumi plugin on a free loopback port and prints the port: the engine reads it from
 * the first line of standard output.
 *
 * The process ends with the engine that started it, also when that was killed and could not say so.
 * Interrupts keep their default, to end: the engine ends its plugins with one, and the terminal's
 * does not reach them.
 *
 * @param definition the gRPC service, from the stubs of `@pulumi/pulumi/proto`
 * @param implementation its methods; one that is absent answers UNIMPLEMENTED
 * @param onEnd called once before the process ends by itself
 */
export function servePlugin(
    definition: grpc.ServiceDefinition,
    implementation: grpc.UntypedServiceImplementation,
    onEnd: () => void = () => undefined,
): void {
    const server = new grpc.Server({
        "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
        "grpc.max_send_message_length": MAX_MESSAGE_BYTES,
    });
    server.addService(definition, implementation);
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
        if (error) {
            console.error(`the plugin cannot listen on loopback: ${error.message}`);
            process.exit(1);
        }
        console.log(String(port));
    });
    endWithParent(onEnd);
}

function endWithParent(onEnd: () => void): void {
    const parent = process.ppid;
    setInterval(() => {
        if (process.ppid !== parent) {
            onEnd();
            process.exit(0);
        }
    }, parentPollMs);
}

/**
 * Turns an asynchronous function into a gRPC method. A thrown error becomes the call's error with
 * its message alone; its stack is of no use to somebody who runs `pulumi up`.
 */
export function unary<Request, Response>(
    handle: (request: Request) => Response | Promise<Response>,
): grpc.handleUnaryCall<Request, Response> {
    return (call, callback) => {
        Promise.resolve()
            .then(() => handle(call.request))
            .then(
                (response) => callback(null, response),
                (error: unknown) =>
                    callback({
                        code: grpc.status.UNKNOWN,
                        message: error instanceof Error ? error.message : String(error),
                    }),
            );
    };
}
