import type { UntypedServiceImplementation } from "@grpc/grpc-js";
import * as language from "@pulumi/pulumi/proto/language_pb";
import * as plugin from "@pulumi/pulumi/proto/plugin_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";

import { unary } from "../plugin/serve";
import { installedPackages } from "./packages";
import { cancelPrograms, runProgram } from "./run";

/**
 * The methods of LanguageRuntime that the engine calls for a Node.js program in a folder.
 *
 * @param engineAddress loopback address of the engine, given to the plugin as its last argument
 */
export function languageRuntime(engineAddress: string): UntypedServiceImplementation {
    return {
        getPluginInfo: unary(() => {
            const info = new plugin.PluginInfo();
            info.setVersion("1.0.0");
            return info;
        }),
        getRequiredPackages: unary(requiredPackages),
        getProgramDependencies: unary(programDependencies),
        about: unary(about),
        run: unary((request: language.RunRequest) => run(request, engineAddress)),
        cancel: unary(() => {
            cancelPrograms();
            return new Empty();
        }),
    };
}

function requiredPackages(
    request: language.GetRequiredPackagesRequest,
): language.GetRequiredPackagesResponse {
    const response = new language.GetRequiredPackagesResponse();
    const directory = request.getInfo()?.getProgramDirectory() ?? process.cwd();
    for (const { pulumi, name, version } of installedPackages(directory, true)) {
        if (pulumi?.resource === true) {
            const dependency = new plugin.PackageDependency();
            dependency.setKind("resource");
            dependency.setName(pulumi.name ?? name.replace(/^@pulumi\//, ""));
            dependency.setVersion(`v${(pulumi.version ?? version).replace(/^v/, "")}`);
            response.addPackages(dependency);
        }
    }
    return response;
}

function programDependencies(
    request: language.GetProgramDependenciesRequest,
): language.GetProgramDependenciesResponse {
    const response = new language.GetProgramDependenciesResponse();
    const directory = request.getInfo()?.getProgramDirectory() ?? request.getPwd();
    for (const found of installedPackages(directory, request.getTransitivedependencies())) {
        const dependency = new language.DependencyInfo();
        dependency.setName(found.name);
        dependency.setVersion(found.version);
        response.addDependencies(dependency);
    }
    return response;
}

function about(): language.AboutResponse {
    const response = new language.AboutResponse();
    response.setExecutable(process.execPath);
    response.setVersion(process.version);
    return response;
}

async function run(
    request: language.RunRequest,
    engineAddress: string,
): Promise<language.RunResponse> {
    const info = request.getInfo();
    const outcome = await runProgram({
        monitorAddress: request.getMonitorAddress(),
        engineAddress,
        organization: request.getOrganization(),
        project: request.getProject(),
        stack: request.getStack(),
        rootDirectory: info?.getRootDirectory() ?? request.getPwd(),
        programDirectory: info?.getProgramDirectory() ?? request.getPwd(),
        workingDirectory: request.getPwd(),
        entryPoint: info?.getEntryPoint() ?? ".",
        dryRun: request.getDryrun(),
        parallel: request.getParallel(),
        args: request.getArgsList(),
        config: Object.fromEntries(request.getConfigMap().toArray()),
        secretKeys: request.getConfigsecretkeysList(),
        options: info?.getOptions()?.toJavaScript() ?? {},
    });
    const response = new language.RunResponse();
    response.setBail(outcome.bail === true);
    response.setError(outcome.error ?? "");
    return response;
}
