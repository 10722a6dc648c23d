import { LanguageRuntimeService } from "@pulumi/pulumi/proto/language_grpc_pb";

import { servePlugin } from "../plugin/serve";
import { cancelPrograms } from "./run";
import { languageRuntime } from "./service";

const engineAddress = process.argv.at(-1);
if (process.argv.length < 3 || engineAddress === undefined) {
    console.error("pulumi-language-nodejs: the engine's address is missing; the engine starts it");
    process.exit(1);
}
servePlugin(LanguageRuntimeService, languageRuntime(engineAddress), cancelPrograms);
