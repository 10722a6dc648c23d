/** Values by name: of a program's flags, a pod's fields, a certificate's parts. */
export type Facts = Readonly<Record<string, string>>;

/** A fact that differs; absent where one side does not have it. */
export interface Difference {
    readonly name: string;
    readonly ours?: string;
    readonly kubeadm?: string;
}

/** A difference we mean. */
export interface Reasoned {
    readonly reason: string;
}

/** Every fact in which the two differ, by name. */
export function differencesOf(ours: Facts, kubeadm: Facts): Difference[] {
    const names = [...new Set([...Object.keys(ours), ...Object.keys(kubeadm)])].sort();
    return names
        .filter((name) => ours[name] !== kubeadm[name])
        .map((name) => ({
            name,
            ...(ours[name] === undefined ? {} : { ours: ours[name] }),
            ...(kubeadm[name] === undefined ? {} : { kubeadm: kubeadm[name] }),
        }));
}

/** Known differences as they are found, in an order that does not matter. */
export function withoutReasons<T extends Reasoned>(known: readonly T[]): Omit<T, "reason">[] {
    return known.map(({ reason: _, ...difference }) => difference);
}

/** The leaves of plain data, by path: `{ a: { b: [1] } }` gives `a.b.0` as `1`. */
export function leavesOf(value: unknown, path = ""): Facts {
    if (typeof value !== "object" || value === null) {
        return { [path]: String(value) };
    }
    return Object.assign(
        {},
        ...Object.entries(value).map(([name, item]) =>
            leavesOf(item, path === "" ? name : `${path}.${name}`),
        ),
    ) as Facts;
}
