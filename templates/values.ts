import type { Role } from "../contract/roles";
import type { ClusterSettings } from "./settings";

/** Everything a template may need, by name; plain values. */
export interface Values {
    settings: ClusterSettings;
    clusterId: number;
    clusterName: string;
    /** The name under which administrators reach the API. */
    dnsName: string;
    nodeName: string;
    role: Role;
    privateIpv4: string;
    /** Empty when the node has none. */
    privateIpv6: string;
    /** Empty when the node has none. */
    publicIpv4: string;
    /** PEM texts: `cert:cluster-ca`, `cert:controller-manager`, `key:controller-manager`, ... */
    [pem: `cert:${string}` | `key:${string}`]: string;
}

/** The name of a value. */
export type ValueName = keyof Values;

/**
 * A view of the values that answers only for the named ones.
 *
 * @throws (the view, on reading) when code reads a value it did not name, or one that is not there
 */
export function restrictTo(needs: readonly ValueName[], values: Values, reader: string): Values {
    const allowed = new Set<string | symbol>(needs);
    return new Proxy(values, {
        get(target, name): unknown {
            if (!allowed.has(name)) {
                throw new Error(
                    `${reader} reads ${String(name)}, which its "needs" does not name.`,
                );
            }
            const value: unknown = Reflect.get(target, name);
            if (value === undefined) {
                throw new Error(`${reader} needs ${String(name)}, which was not given.`);
            }
            return value;
        },
    });
}

/**
 * One PEM text.
 *
 * @throws when it was not given
 */
export function pemOf(values: Values, name: `cert:${string}` | `key:${string}`): string {
    const text = values[name];
    if (text === undefined) {
        throw new Error(`The value ${name} was not given.`);
    }
    return text;
}
