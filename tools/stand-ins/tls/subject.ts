import "reflect-metadata";

import { type JsonName, Name, SubjectAlternativeNameExtension } from "@peculiar/x509";

import { optionalString, type Properties, record, stringList } from "../plugin/properties";
import { SUBJECT_ATTRIBUTES } from "./names";

/** Attributes that are lists; all others are one text. */
const LISTS = ["streetAddresses"];

/**
 * The distinguished name of the input `subject`; empty when the input is absent.
 * @throws when an attribute is unknown or of another type
 */
export function subjectName(inputs: Properties): Name {
    const subject = record(inputs, "subject");
    const stranger = Object.keys(subject).find((name) => !(name in SUBJECT_ATTRIBUTES));
    if (stranger !== undefined) {
        throw new Error(
            `subject.${stranger} is no attribute of a subject: use ${Object.keys(SUBJECT_ATTRIBUTES).join(", ")}`,
        );
    }
    const name: JsonName = Object.entries(SUBJECT_ATTRIBUTES)
        .map(([attribute, type]) => ({ type, values: values(subject, attribute) }))
        .filter(({ values }) => values.length > 0)
        .map(({ type, values }) => ({ [type]: [...values] }));
    return new Name(name);
}

function values(subject: Properties, attribute: string): readonly string[] {
    if (LISTS.includes(attribute)) {
        return stringList(subject, attribute);
    }
    const value = optionalString(subject, attribute);
    return value === undefined || value === "" ? [] : [value];
}

/**
 * The extension of the inputs `dnsNames`, `ipAddresses` and `uris`, undefined when all are empty.
 * It is critical where the subject is empty (RFC 5280, 4.2.1.6).
 */
export function alternativeNames(
    inputs: Properties,
    subject: Name,
): SubjectAlternativeNameExtension | undefined {
    const names = [
        ...stringList(inputs, "dnsNames").map((value) => ({ type: "dns" as const, value })),
        ...stringList(inputs, "ipAddresses").map((value) => ({ type: "ip" as const, value })),
        ...stringList(inputs, "uris").map((value) => ({ type: "url" as const, value })),
    ];
    return names.length === 0
        ? undefined
        : new SubjectAlternativeNameExtension(names, subject.toJSON().length === 0);
}
