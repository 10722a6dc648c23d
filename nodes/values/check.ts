/** A mirror: a URL, a folder on the node, or nothing for upstream. */
const mirrorPattern = /^((https?|oci):\/\/[A-Za-z0-9.:[\]_~/-]+|\/[A-Za-z0-9._/-]+|)$/;

/**
 * The URL of a bootstrap server, which carries slot secrets, tokens and private keys: TLS only. Its
 * characters are those that no shell, unit file or TOML string treats specially.
 */
const serverPattern = /^https:\/\/[A-Za-z0-9.:[\]_~/-]*[^/]$/;

/**
 * Checks a text against a pattern.
 *
 * @param wanted what to give instead, for the error
 * @throws when the text does not match
 */
export function check(what: string, value: string, pattern: RegExp, wanted: string): void {
    if (!pattern.test(value)) {
        throw new Error(`${what}: "${value}" is not valid; give ${wanted}.`);
    }
}

/** @throws when this is no https URL, or it ends with a slash */
export function checkServerUrl(what: string, value: string): void {
    check(
        what,
        value,
        serverPattern,
        "an https:// URL such as https://host:8443, without a slash at its end",
    );
}

/** @throws when this is neither a URL, nor a folder, nor empty */
export function checkMirror(what: string, value: string): void {
    check(what, value, mirrorPattern, "a URL such as https://mirror.example");
}
