// Errors in the form Lambda's callers know: `{"errorType","errorMessage","trace"}`.

/** Bytes of one error's message or stack that travel; AWS cuts there too. */
const TEXT_LENGTH_MAX = 65_536;

/** An error of the runtime's own, with its dotted public name. */
export class RuntimeError extends Error {
  constructor(name, message) {
    super(message);
    this.name = name;
    this.stack = `${name}: ${message}`;
  }
}

/** Largest answer of a buffered call. */
export const RESPONSE_BYTES_MAX = 6_291_456;

export const responseTooLarge = () =>
  new RuntimeError(
    "Function.ResponseSizeTooLarge",
    `Response payload size exceeded maximum allowed payload size (${RESPONSE_BYTES_MAX} bytes).`,
  );

const cutText = (text) => (text.length > TEXT_LENGTH_MAX ? text.slice(0, TEXT_LENGTH_MAX) : text);

function isError(value) {
  return (
    Error.isError(value) ||
    (typeof value === "object" && value !== null && typeof value.message === "string" && typeof value.name === "string")
  );
}

/** What the caller gets for `thrown`, which can be anything, also something whose members throw. */
export function errorPayload(thrown) {
  try {
    if (isError(thrown)) {
      return {
        errorType: String(thrown.name || "Error"),
        errorMessage: cutText(String(thrown.message)),
        trace: cutText(String(thrown.stack ?? "")).split("\n"),
      };
    }
    return { errorType: typeof thrown, errorMessage: cutText(thrown === undefined ? "undefined" : String(thrown)), trace: [] };
  } catch {
    return { errorType: "handled", errorMessage: "The handler threw a value that cannot be read.", trace: [] };
  }
}

/** The same with the members a log line carries: the error's own fields, its cause, and `stack`. */
export function errorForLog(thrown) {
  const payload = errorPayload(thrown);
  const fields = { errorType: payload.errorType, errorMessage: payload.errorMessage };
  try {
    if (isError(thrown))
      for (const key of Object.keys(thrown)) if (key !== "name" && key !== "message" && key !== "stack") fields[key] = thrown[key];
    if (isError(thrown) && isError(thrown.cause)) fields.cause = errorForLog(thrown.cause);
    JSON.stringify(fields);
  } catch {
    return { errorType: payload.errorType, errorMessage: payload.errorMessage, stack: payload.trace };
  }
  return { ...fields, stack: payload.trace };
}
