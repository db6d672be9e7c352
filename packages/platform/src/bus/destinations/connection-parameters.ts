/** Parameters that a connection adds to requests, and the rules of everything that becomes part of one. */
import { LambentError } from "../../base/index.ts";

export interface ConnectionParameter {
  readonly key: string;
  readonly value: string;
  /** Never shown again. */
  readonly secret: boolean;
}

export interface ConnectionParameters {
  readonly headers: readonly ConnectionParameter[];
  readonly query: readonly ConnectionParameter[];
  readonly body: readonly ConnectionParameter[];
}

export const NO_PARAMETERS: ConnectionParameters = { headers: [], query: [], body: [] };

/** Parameters of one kind that a connection adds. @limit */
const CONNECTION_PARAMETERS_MAX = 100;
/** Characters of an endpoint's address. @limit */
const ENDPOINT_CHARACTERS_MAX = 2_048;

const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,512}$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Refuses parameters of which one could not be sent. Values may be secret: no message repeats one. */
export function checkParameters({ headers, query, body }: ConnectionParameters): void {
  for (const [kind, list] of Object.entries({ HeaderParameters: headers, QueryStringParameters: query, BodyParameters: body })) {
    if (list.length > CONNECTION_PARAMETERS_MAX)
      throw new LambentError("InvalidParameter", `${kind} has ${list.length} entries; at most ${CONNECTION_PARAMETERS_MAX} are allowed.`);
  }
  for (const { key, value } of headers) checkHeader(key, value, "HeaderParameters");
}

/** Refuses a header that HTTP does not have. */
export function checkHeader(name: string, value: string, where: string): void {
  if (!HEADER_NAME.test(name))
    throw new LambentError(
      "InvalidParameter",
      `${where} names the header ${JSON.stringify(name.slice(0, 100))}, which HTTP does not allow.`,
    );
  if (!HEADER_VALUE.test(value))
    throw new LambentError("InvalidParameter", `${where} gives the header ${name} a value with characters that HTTP does not allow.`);
}

/** Refuses what is no address of an endpoint. `stars` may stand in its path. */
export function checkEndpoint(text: string, member: string, stars: "stars" | "noStars"): void {
  const wrong = (why: string): LambentError => new LambentError("InvalidParameter", `Parameter ${member} is not valid. Reason: ${why}`);
  if (text.length > ENDPOINT_CHARACTERS_MAX)
    throw wrong(`It has ${text.length} characters; at most ${ENDPOINT_CHARACTERS_MAX} are allowed.`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || (url.protocol !== "https:" && url.protocol !== "http:"))
    throw wrong("It must be an address that begins with https:// or http://.");
  if (url.username !== "" || url.password !== "") throw wrong("It must not hold a user name or password; those belong to the connection.");
  if (url.hash !== "") throw wrong("It must not have a fragment.");
  if (url.hostname.includes("*") || url.search.includes("*") || (stars === "noStars" && url.pathname.includes("*")))
    throw wrong(stars === "stars" ? "A * may stand in its path only." : "It must not hold a *.");
}
