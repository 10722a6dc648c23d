/** A text that must stay where it belongs. */
export interface Secret {
    /** What it is, for messages: they never hold the text. */
    readonly kind: string;
    readonly text: string;
}

/** A text in which no secret may be: a file, an output, a command line. */
export interface Place {
    readonly name: string;
    readonly text: string;
}

/** Every secret that is in a place, as it is, as JSON writes it, or in base64, alone or within more. */
export function leaks(secrets: readonly Secret[], places: readonly Place[]): string[] {
    return secrets.flatMap(({ kind, text }) => {
        const forms = formsOf(text);
        return places
            .filter((place) => forms.some((form) => place.text.includes(form)))
            .map(({ name }) => `${kind} in ${name}`);
    });
}

/** The secrets within a text: keys, whole or in a kubeconfig, and random texts of 32 bytes. */
export function secretsWithin(text: string, from: string): Secret[] {
    const keys = [...text.matchAll(/-----BEGIN ([A-Z ]*PRIVATE KEY)-----\s+([^-]+)-----END/g)];
    const embedded = [...text.matchAll(/client-key-data: "?([A-Za-z0-9+/=]+)/g)];
    const random = [...text.matchAll(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g)];
    return [
        ...keys.map(([, kind = "", body = ""]) => ({
            kind: `${kind} of ${from}`,
            text: heartOf(kind, body),
        })),
        ...embedded.flatMap(([, data = ""]) => [
            { kind: `kubeconfig of ${from}`, text: data.slice(80, 140) },
            ...secretsWithin(Buffer.from(data, "base64").toString(), `kubeconfig of ${from}`),
        ]),
        ...random.map(([hex]) => ({ kind: `random text of ${from}`, text: hex })),
    ];
}

/** Every secret of an exported stack whose secrets are shown. */
export function secretsOfState(exported: string): Secret[] {
    const visit = (value: unknown, from: string): Secret[] => {
        if (typeof value !== "object" || value === null) {
            return [];
        }
        const members = value as Record<string, unknown>;
        if (typeof members["plaintext"] === "string") {
            return textsOf(JSON.parse(members["plaintext"])).flatMap((text) =>
                secretsWithin(text, from),
            );
        }
        return Object.entries(members).flatMap(([key, member]) =>
            visit(member, typeof members["urn"] === "string" ? `state ${key}` : from),
        );
    };
    return visit(JSON.parse(exported), "state");
}

/** Without those that are the same text. */
export function distinct(secrets: readonly Secret[]): Secret[] {
    return [...new Map(secrets.map((secret) => [secret.text, secret])).values()];
}

/**
 * Part of a line of a key that holds what is private of it: the beginning of a key is the same for all of
 * its kind, and much of it is public, an RSA key's modulus or all but the end of OpenSSH's format.
 */
function heartOf(kind: string, body: string): string {
    const lines = body.trim().split("\n");
    if (kind.startsWith("OPENSSH")) {
        return lines.findLast((line) => line.length >= 40)!.slice(0, 40);
    }
    return lines.length <= 3 ? lines[0]!.slice(32) : lines[Math.floor(lines.length * 0.7)]!;
}

function textsOf(value: unknown): string[] {
    return typeof value === "string"
        ? [value]
        : typeof value === "object" && value !== null
          ? Object.values(value).flatMap(textsOf)
          : [];
}

function formsOf(text: string): string[] {
    // Within a longer text a secret starts at any of three places of a base64 group.
    const inBase64 = [0, 1, 2].map((before) => {
        const padded = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]);
        const whole = padded.subarray(0, padded.length - (padded.length % 3)).toString("base64");
        return whole.slice(before === 0 ? 0 : 4);
    });
    return [...new Set([text, JSON.stringify(text).slice(1, -1), ...inBase64])];
}
