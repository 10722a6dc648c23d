import type { Role } from "../contract/roles";
import { userDataLimit } from "../contract/user-data";
import type { VerifierMode } from "../contract/verifier";
import { renderTemplate } from "../templates/render";
import { paths } from "./paths";
import { check, checkMirror, checkServerUrl } from "./values/check";
import { defaultImdsUrl } from "./values/settings";

/** What a VM's user data says. */
export interface UserDataValues {
    /** URL of the bootstrap server as nodes reach it: with https, without a trailing slash. */
    bootstrapUrl: string;
    /** The CA of the server's certificate; empty for the public PKI. */
    bootstrapCaPem: string;
    /** The secret of this node's slot; left out in mode `excloud`, which does not ask for it. */
    slotSecret: string;
    role: Role;
    verifierMode: VerifierMode;
    /** Default `http://imdsapi.excloud.in`. */
    imdsUrl?: string;
    /** A mirror of the distribution's packages, as in `Mirrors`. Default: the image's sources. */
    packageMirror?: string;
}

/**
 * Renders the script a VM runs at first boot.
 *
 * @throws when a URL is malformed, or the text is over `userDataLimit`
 */
export function renderUserData(values: UserDataValues): string {
    const imdsUrl = values.imdsUrl ?? defaultImdsUrl;
    const packageMirror = values.packageMirror ?? "";
    checkServerUrl("bootstrapUrl", values.bootstrapUrl);
    check(
        "imdsUrl",
        imdsUrl,
        /^https?:\/\/[A-Za-z0-9.:[\]_~/-]*[^/]$/,
        "a URL such as http://imds.example, without a slash at its end",
    );
    checkMirror("packageMirror", packageMirror);
    const text = renderTemplate("user-data/userdata.sh", {
        ...values,
        slotSecret: values.verifierMode === "excloud" ? "" : values.slotSecret,
        imdsUrl,
        packageMirror,
        paths,
    });
    checkUserDataSize(text, "; give a shorter bootstrap CA");
    return text;
}

/** @throws Error, with the advice, when the text is larger than clouds take */
export function checkUserDataSize(text: string, advice = ""): void {
    const size = Buffer.byteLength(text, "utf8");
    if (size > userDataLimit) {
        throw new Error(
            `The user data has ${size} bytes, over the limit of ${userDataLimit}${advice}.`,
        );
    }
}
