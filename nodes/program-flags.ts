import { type ExtraArgs, flagList, type RemovedFlags } from "./values/flags";
import type { ClusterSettings } from "./values/settings";
import { type Minor, supportedMinors } from "./versions";

/** The flags of a program that users may add to. */
export interface ProgramFlags {
    /** The cluster's argument with the user's flags. */
    readonly argument: {
        [Name in keyof ClusterSettings]: Name extends `${string}ExtraArgs` ? Name : never;
    }[keyof ClusterSettings];
    /** Flags that end the program at its start, because that minor no longer has them. */
    readonly removed: Readonly<Record<Minor, RemovedFlags>>;
}

/** The same flags for every minor. */
export function inEveryMinor(flags: RemovedFlags): Record<Minor, RemovedFlags> {
    return Object.fromEntries(supportedMinors.map((minor) => [minor, flags])) as Record<
        Minor,
        RemovedFlags
    >;
}

/** The command line of a program: our flags, and the user's over them. */
export function flagsOf(
    { argument, removed }: ProgramFlags,
    settings: ClusterSettings,
    defaults: ExtraArgs,
): string[] {
    return flagList(argument, defaults, settings[argument], removed[settings.minor]);
}
