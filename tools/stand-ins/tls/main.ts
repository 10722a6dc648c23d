import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";

import { servePlugin } from "../plugin/serve";
import { tlsProvider } from "./service";

servePlugin(ResourceProviderService, tlsProvider());
