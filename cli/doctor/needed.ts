/** A check cannot be made, as something that it needs has failed in a check of its own. */
export class NotChecked extends Error {}

/** A fact that another check reports on when it cannot be had. */
export async function needed<T>(fact: Promise<T>, name: string): Promise<T> {
    try {
        return await fact;
    } catch {
        throw new NotChecked(`not checked: it needs ${name}`);
    }
}
