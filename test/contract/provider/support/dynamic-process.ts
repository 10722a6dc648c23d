import { spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";

import * as grpc from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as provider from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { type JavaScriptValue, Struct } from "google-protobuf/google/protobuf/struct_pb";

import { providerText } from "../../../../provider/declare-resource";

export type Properties = Record<string, unknown>;

const repository = resolve(__dirname, "../../../..");
const program = join(repository, "examples/quickstart");
const entry = join(repository, "node_modules/@pulumi/pulumi/cmd/dynamic-provider/index.js");

/** What a failed `create` or `update` leaves behind, as the engine stores it. */
export interface Unfinished {
    id: string;
    properties: Properties;
    reasons: string[];
}

/** A call was refused. */
export class CallError extends Error {
    constructor(
        message: string,
        readonly unfinished: Unfinished | undefined,
    ) {
        super(message);
    }
}

/** The engine's dynamic-provider process, called as the engine calls it. */
export class DynamicProcess {
    private output = { stdout: "", stderr: "" };

    private constructor(
        private readonly child: ReturnType<typeof spawn>,
        private readonly client: grpc.Client,
    ) {}

    /**
     * Starts the process in the folder of a program.
     *
     * @param config the stack's configuration, by full key
     * @param environment what the process sees beside PATH
     */
    static async start(
        config: Record<string, unknown>,
        environment: Record<string, string> = {},
    ): Promise<DynamicProcess> {
        const child = spawn(process.execPath, [entry, "127.0.0.1:1"], {
            cwd: program,
            env: {
                PATH: process.env["PATH"],
                // No credentials of whoever runs the tests.
                HOME: "/nonexistent",
                PULUMI_NODEJS_PROJECT: "quickstart",
                ...environment,
            },
            stdio: ["ignore", "pipe", "pipe"],
        });
        const lines = createInterface(child.stdout);
        const [port] = (await once(lines, "line")) as [string];
        const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
        const started = new DynamicProcess(child, client);
        lines.on("line", (line) => (started.output.stdout += `${line}\n`));
        child.stderr.on("data", (chunk: Buffer) => (started.output.stderr += chunk.toString()));
        const request = new provider.ConfigureRequest();
        request.setArgs(struct(config));
        request.setAcceptsecrets(true);
        await started.call(ResourceProviderService.configure, request);
        return started;
    }

    /** What handlers showed to the user. */
    get stdout(): string {
        return this.output.stdout;
    }
    get stderr(): string {
        return this.output.stderr;
    }

    async check(
        type: string,
        news: Properties,
        olds: Properties = {},
    ): Promise<{ inputs: Properties; failures: { property: string; reason: string }[] }> {
        const request = new provider.CheckRequest();
        request.setUrn(urnOf(type));
        request.setOlds(struct(Object.keys(olds).length > 0 ? withText(type, olds) : {}));
        request.setNews(struct(withText(type, news)));
        const response = await this.call(ResourceProviderService.check, request);
        return {
            inputs: response.getInputs()!.toJavaScript(),
            failures: response.getFailuresList().map((failure) => failure.toObject()),
        };
    }

    async diff(
        type: string,
        id: string,
        olds: Properties,
        news: Properties,
    ): Promise<{ changes: boolean; replaces: string[]; deleteBeforeReplace: boolean }> {
        const request = new provider.DiffRequest();
        request.setUrn(urnOf(type));
        request.setId(id);
        request.setOlds(struct(withText(type, olds)));
        request.setNews(struct(withText(type, news)));
        const response = await this.call(ResourceProviderService.diff, request);
        return {
            changes: response.getChanges() === provider.DiffResponse.DiffChanges.DIFF_SOME,
            replaces: response.getReplacesList(),
            deleteBeforeReplace: response.getDeletebeforereplace(),
        };
    }

    async create(type: string, inputs: Properties): Promise<{ id: string; outputs: Properties }> {
        const request = new provider.CreateRequest();
        request.setUrn(urnOf(type));
        request.setProperties(struct(withText(type, inputs)));
        const response = await this.call(ResourceProviderService.create, request);
        return { id: response.getId(), outputs: response.getProperties()!.toJavaScript() };
    }

    /** `id` is `""` for what is gone. */
    async read(
        type: string,
        id: string,
        outputs: Properties,
    ): Promise<{ id: string; outputs: Properties; inputs: Properties | undefined }> {
        const request = new provider.ReadRequest();
        request.setUrn(urnOf(type));
        request.setId(id);
        request.setProperties(struct(withText(type, outputs)));
        const response = await this.call(ResourceProviderService.read, request);
        return {
            id: response.getId(),
            outputs: response.getProperties()!.toJavaScript(),
            inputs: response.getInputs()?.toJavaScript(),
        };
    }

    async update(
        type: string,
        id: string,
        olds: Properties,
        news: Properties,
    ): Promise<{ outputs: Properties }> {
        const request = new provider.UpdateRequest();
        request.setUrn(urnOf(type));
        request.setId(id);
        request.setOlds(struct(withText(type, olds)));
        request.setNews(struct(withText(type, news)));
        const response = await this.call(ResourceProviderService.update, request);
        return { outputs: response.getProperties()!.toJavaScript() };
    }

    async delete(type: string, id: string, outputs: Properties): Promise<void> {
        const request = new provider.DeleteRequest();
        request.setUrn(urnOf(type));
        request.setId(id);
        request.setProperties(struct(withText(type, outputs)));
        await this.call(ResourceProviderService.delete, request);
    }

    async stop(): Promise<void> {
        this.client.close();
        const ended = once(this.child, "exit");
        this.child.kill("SIGINT");
        await ended;
    }

    private call<Request, Response>(
        method: grpc.MethodDefinition<Request, Response>,
        request: Request,
    ): Promise<Response> {
        return new Promise((done, reject) => {
            this.client.makeUnaryRequest(
                method.path,
                method.requestSerialize,
                method.responseDeserialize,
                request,
                (error, response) =>
                    response === undefined
                        ? reject(new CallError(error?.details ?? "no answer", unfinishedIn(error)))
                        : done(response),
            );
        });
    }
}

/** A secret as the engine hands it to a provider. */
export function secret(value: string): Properties {
    return { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value };
}

function withText(type: string, properties: Properties): Properties {
    return { ...properties, __provider: providerText(type) };
}

function urnOf(type: string): string {
    return `urn:pulumi:dev::quickstart::pulumi-nodejs:dynamic/excloud-k8s:${type}::test`;
}

function struct(properties: Properties): Struct {
    return Struct.fromJavaScript(properties as Record<string, JavaScriptValue>);
}

function unfinishedIn(error: grpc.ServiceError | null): Unfinished | undefined {
    const [packed] = error?.metadata.get("grpc-status-details-bin") ?? [];
    if (packed === undefined) {
        return undefined;
    }
    const [detail] = Status.deserializeBinary(packed as Buffer).getDetailsList();
    const failed = provider.ErrorResourceInitFailed.deserializeBinary(detail!.getValue_asU8());
    return {
        id: failed.getId(),
        properties: failed.getProperties()!.toJavaScript(),
        reasons: failed.getReasonsList(),
    };
}
