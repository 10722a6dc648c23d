import { randomUUID } from "node:crypto";

import { optionalFlag, optionalString, type Properties, record } from "../plugin/properties";
import type { PluginResource } from "../plugin/provider";
import { changesOf } from "./changes";
import { connectionFailures, type Ran, Remote } from "./connection";
import { COMMAND_INPUTS } from "./names";

/** `remote.Command`: a command when it is created, updated and deleted. */
export const remoteCommand: PluginResource = {
    failures: connectionFailures,
    difference: (old, inputs) => changesOf(COMMAND_INPUTS, old, inputs),

    async create(inputs) {
        return {
            id: randomUUID(),
            properties: await ran(inputs, record(inputs, "environment"), "create"),
        };
    },

    update: (outputs, inputs) => ran(inputs, withPrevious(outputs, inputs), "update", "create"),

    read: (outputs) => outputs,

    async delete(outputs) {
        await ran(outputs, withPrevious(outputs, outputs), "delete");
    },
};

/** What the command of one of these names printed, beside the inputs; nothing is run where there is none. */
async function ran(
    inputs: Properties,
    environment: Properties,
    ...names: readonly string[]
): Promise<Properties> {
    const [command] = names.flatMap((name) => optionalString(inputs, name) ?? []);
    const nothing: Ran = { stdout: "", stderr: "" };
    const { stdout, stderr } =
        command === undefined
            ? nothing
            : await Remote.use(inputs, (remote) =>
                  remote.run(command, environment, optionalString(inputs, "stdin")),
              );
    return { ...inputs, stdout, stderr };
}

/** The environment with what the former command printed, unless that is switched off. */
function withPrevious(outputs: Properties, inputs: Properties): Properties {
    const isWanted = optionalFlag(inputs, "addPreviousOutputInEnv") ?? true;
    return {
        ...(isWanted
            ? {
                  PULUMI_COMMAND_STDOUT: optionalString(outputs, "stdout") ?? "",
                  PULUMI_COMMAND_STDERR: optionalString(outputs, "stderr") ?? "",
              }
            : {}),
        ...record(inputs, "environment"),
    };
}
