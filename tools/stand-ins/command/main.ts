import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";

import { providerService } from "../plugin/provider";
import { servePlugin } from "../plugin/serve";
import { remoteCommand } from "./command";
import { copyToRemote } from "./copy-to-remote";
import { COMMAND_PLUGIN } from "./names";

servePlugin(
    ResourceProviderService,
    providerService(COMMAND_PLUGIN, { Command: remoteCommand, CopyToRemote: copyToRemote }),
);
