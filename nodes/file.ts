import { renderTemplate } from "../templates/render";
import { paths, ports, runtimeFiles } from "./paths";
import type { ClusterSettings } from "./values/settings";
import type { ValueName, Values } from "./values/values";

/** A rendered file of a node. */
export interface NodeFile {
    /** Absolute path on the node. */
    readonly path: string;
    /** Four octal digits. */
    readonly mode: string;
    /** `user:group`. */
    readonly owner: string;
    /** `role`: equal on all nodes of a role; `node`: each node has its own. */
    readonly scope: "role" | "node";
    /** Whether the text holds a private key. */
    readonly secret: boolean;
    /** The values the text depends on. */
    readonly needs: readonly ValueName[];
    /** Whether these settings want the file; always, when absent. */
    readonly when?: (settings: ClusterSettings) => boolean;
    /**
     * The file's text.
     *
     * @throws when a value that it needs is missing
     */
    readonly render: (values: Partial<Values>) => string;
}

type Declared = "mode" | "owner" | "scope" | "when";

/** What a file is declared by. Defaults: root's, the same on all nodes of a role; private if it holds a key. */
interface Declaration<Need extends ValueName> extends Partial<Pick<NodeFile, Declared>> {
    readonly path: string;
    readonly needs: readonly Need[];
    readonly render: (values: Pick<Values, Need>) => string;
}

/** Completes a declaration. */
export function file<Need extends ValueName>({
    path,
    needs,
    render,
    ...more
}: Declaration<Need>): NodeFile {
    const secret = needs.some((need) => need.startsWith("key:"));
    return {
        path,
        mode: secret ? "0600" : "0644",
        owner: "root:root",
        scope: "role",
        secret,
        needs,
        ...more,
        render: (values) => render(pick(path, needs, values)),
    };
}

function pick<Need extends ValueName>(
    path: string,
    needs: readonly Need[],
    values: Partial<Values>,
): Pick<Values, Need> {
    const missing = needs.find((need) => values[need] === undefined);
    if (missing !== undefined) {
        throw new Error(`${path} needs ${missing}, which was not given.`);
    }
    return Object.fromEntries(needs.map((need) => [need, values[need]])) as Pick<Values, Need>;
}

/** Constants that scripts and units share with this program. */
export const scriptContext = { paths, ports, runtimeFiles };

type More = Partial<Pick<NodeFile, Declared>>;

/** A file whose text is a template that needs no value. */
export function fixed(path: string, template: string, more: More = {}): NodeFile {
    return file({
        path,
        needs: [],
        render: () => renderTemplate(template, scriptContext),
        ...more,
    });
}

/** A script; its template is in the folder of its subject. */
export function script(folder: string, name: string, more: More = {}): NodeFile {
    return fixed(`${paths.bin}/${name}`, `${folder}/${name}`, { mode: "0755", ...more });
}

/** Path of a unit of systemd. */
export const unitPath = (name: string): string => `${paths.systemd}/${name}`;

/** A unit of systemd; its template is in the folder of its subject. */
export function unit(folder: string, name: string, more: More = {}): NodeFile {
    return fixed(unitPath(name), `${folder}/${name}`, more);
}
