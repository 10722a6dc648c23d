import type { Bundle } from "#contract/bundle";

/**
 * Computes once per bundle what many checks ask for: reading YAML and certificates is most of the
 * work, and a bundle does not change once it is checked.
 */
export function perBundle<Key, Value>(
    compute: (bundle: Bundle, key: Key) => Value,
): (bundle: Bundle, key: Key) => Value {
    const known = new WeakMap<Bundle, Map<Key, Value>>();
    return (bundle, key) => {
        const values = known.get(bundle) ?? new Map<Key, Value>();
        known.set(bundle, values);
        const value = values.has(key) ? (values.get(key) as Value) : compute(bundle, key);
        values.set(key, value);
        return value;
    };
}
