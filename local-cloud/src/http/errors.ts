/**
 * A refusal by an API: becomes the error envelope `{error: {code, message, request_id}}`.
 * `code` is dotted and meant for branching (documented); which codes exist is not published, so those
 * of the local cloud follow the one documented example, `compute.instance.not_found`.
 */
export class ApiError extends Error {
    constructor(
        readonly status: number,
        readonly code: string,
        message: string,
    ) {
        super(message);
        this.name = "ApiError";
    }
}

/** 404: nothing with this id or name exists. */
export const notFound = (what: string, id: string | number): ApiError =>
    new ApiError(404, `${what}.not_found`, `could not find ${what} ${id}`);

/** 400: the request is well-formed but asks for something impossible. */
export const invalid = (code: string, message: string): ApiError =>
    new ApiError(400, code, message);

/** 409: the request clashes with what exists. */
export const conflict = (code: string, message: string): ApiError =>
    new ApiError(409, code, message);
