/**
 * A request as security sees it: raw, because a signature is over the raw form. Structurally a `WireRequest`,
 * declared here because `wire/` stands above.
 *
 * `rawUrl` and `rawHeaders` hold one character a byte, as Node's parsers deliver them.
 */
export interface SignedRequest extends RequestHead {
  readonly body: Uint8Array;
}

/** What of a request is there before its body. */
export interface RequestHead {
  readonly method: string;
  /** Path and query exactly as sent. */
  readonly rawUrl: string;
  /** Alternating names and values, as `IncomingMessage.rawHeaders`; on HTTP/2 with `:authority`. */
  readonly rawHeaders: readonly string[];
}

/** Every value of the header `name` (lower case), in the order sent. */
export function headerValues(rawHeaders: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const candidate = rawHeaders[index] ?? "";
    if (candidate.length === name.length && candidate.toLowerCase() === name) values.push(rawHeaders[index + 1] ?? "");
  }
  return values;
}
