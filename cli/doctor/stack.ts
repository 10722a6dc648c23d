import { backendOf, conditionOf } from "../condition";
import { cutOffFilesOf } from "../cut-off-files";
import { endingSoon, endOf, expiryWarning } from "../status-texts";
import { describe, isClean } from "../unlock-texts";
import { advise, type Check, fail, ok, warn } from "./check";
import { needed } from "./needed";

/** The user's stack. */
export const stackChecks: readonly Check[] = [
    {
        name: "stack",
        run: async (facts) => {
            await needed(facts.pulumiVersion(), "the Pulumi CLI");
            const name = await facts
                .stackName()
                .catch((error) =>
                    advise(error, "`pulumi stack select`, or name the stack by --stack"),
                );
            await facts
                .exported()
                .catch((error) =>
                    advise(error, "when the message says EOF, `npx excloud-k8s unlock`"),
                );
            const clusters = await facts.clusters();
            const held = clusters.map(({ clusterName }) => clusterName).join(", ");
            return ok(`${name}, ${held === "" ? "no cluster yet" : held}`);
        },
    },
    {
        name: "configuration",
        run: async (facts) => {
            await needed(facts.stackName(), "the stack");
            const next =
                "set PULUMI_CONFIG_PASSPHRASE to the stack's passphrase, or make its secrets provider usable";
            await facts.config().catch((error) => advise(error, next));
            // Where the configuration has no secrets, those of the outputs show whether they can be read.
            const { pulumi } = facts;
            await pulumi
                .read(["stack", "output", "--json", "--show-secrets", ...pulumi.stackFlags])
                .catch((error) => advise(error, next));
            return ok("it and the state's secrets can be read");
        },
    },
    {
        name: "leftovers",
        run: async (facts) => {
            const backend = await needed(backendOf(facts.pulumi), "the stack");
            const cutOff = await cutOffFilesOf(backend);
            const next = "when no run of this stack is under way, `npx excloud-k8s unlock`";
            if (cutOff.length > 0) {
                return fail(`a killed run left ${cutOff.join(", ")} cut off`, next);
            }
            const condition = await needed(conditionOf(facts.pulumi, backend), "the stack");
            const held = condition.locks?.some((lock) => lock.isHeld);
            if (held) {
                return warn("a run of this stack is under way", "wait for its end");
            }
            const nothing = condition.locks === undefined && isClean({ ...condition, locks: [] });
            return nothing || isClean(condition)
                ? ok("none of a killed run")
                : fail(describe(condition).join("\n"), next);
        },
    },
    {
        name: "certificates",
        run: async (facts) => {
            const clusters = await needed(facts.clusters(), "the stack");
            const all = clusters.flatMap(({ certificates }) => certificates);
            const soon = endingSoon(all, facts.now);
            if (soon.length === 0) {
                return ok(`${all.length}, none of which ends within ${expiryWarning} days`);
            }
            const seen = soon
                .map(({ name, notAfter }) => `${name} ${endOf(notAfter, facts.now)}`)
                .join(", ");
            const next =
                "run `pulumi up`, which renews what is within certificates.renewBeforeDays of its end";
            const haveEnded = soon.some(
                ({ notAfter }) => Date.parse(notAfter) < facts.now.getTime(),
            );
            return haveEnded ? fail(seen, next) : warn(seen, next);
        },
    },
];
