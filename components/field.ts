/** Says what is wrong with a value, or nothing. It sees plain values only. */
export type Rule<Args = unknown> = (value: unknown, args: Args) => string | undefined;

/** What a value must be. */
export interface Checked<Args> {
    /** Whether it may be an Output: it decides neither which resources nor which files there are. */
    readonly mayBeLater: boolean;
    readonly rules: readonly Rule<Args>[];
}

/** An argument, by its path. */
export interface Field<Args> extends Checked<Args> {
    readonly path: string;
    /** Whether it must be given, where the group that it is a member of is. */
    readonly required: boolean;
    /** What each item of a list, or each value of a map, must be. */
    readonly items?: Checked<Args>;
}

interface Options<Args> {
    readonly required?: boolean;
    readonly items?: Checked<Args>;
}

/** An argument that must be known when the program starts. */
export function plain<Args>(
    path: string,
    rules: readonly Rule<Args>[],
    { required = false, items }: Options<Args> = {},
): Field<Args> {
    return { path, mayBeLater: false, rules, required, ...(items ? { items } : {}) };
}

/** An argument that may be an Output. */
export function input<Args>(
    path: string,
    rules: readonly Rule<Args>[],
    options: Options<Args> = {},
): Field<Args> {
    return { ...plain(path, rules, options), mayBeLater: true };
}

export const required = { required: true } as const;

export const plainItems = <Args>(...rules: Rule<Args>[]): Options<Args> => ({
    items: { mayBeLater: false, rules },
});

export const inputItems = <Args>(...rules: Rule<Args>[]): Options<Args> => ({
    items: { mayBeLater: true, rules },
});
