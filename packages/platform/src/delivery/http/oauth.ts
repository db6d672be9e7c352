/** Asking for an OAuth token by client credentials, and reading what comes. Pure. @see RFC 6749, section 4.4 */
import type { Authorization, ConnectionParameter } from "../../bus/index.ts";
import type { HttpCall, HttpEnding } from "./http-client.ts";
import { endToEnd, lastOfEach } from "./request.ts";

type OAuth = Extract<Authorization, { readonly kind: "oauth" }>;

/** A token endpoint that does not answer within this gave none. @limit */
const TOKEN_TIMEOUT_MS = 5_000;
/** Bytes of a token endpoint's answer. @limit */
const TOKEN_ANSWER_BYTES_MAX = 65_536;
/** Characters of a token: it goes into a header. @limit */
const TOKEN_CHARACTERS_MAX = 8_192;
/** A token is good for a year at most, whatever is said. */
const TOKEN_LIFE_MS_MAX = 365 * 86_400_000;

export type TokenAnswer =
  /** `lifeMs` undefined: nothing was said, it is used until it is refused. */
  | { readonly kind: "token"; readonly token: string; readonly lifeMs: number | undefined }
  /** The endpoint cannot answer now. */
  | { readonly kind: "later"; readonly message: string }
  /** It does not know these credentials, or its answer is none. */
  | { readonly kind: "refused"; readonly message: string };

/** The request for a token: the client's credentials in the form, or in the query where there is none; a content-type of JSON sends JSON. */
export function tokenCall({ endpoint, method, clientId, clientSecret, parameters }: OAuth): HttpCall {
  const url = new URL(endpoint);
  for (const { key, value } of parameters.query) url.searchParams.append(key, value);
  const fields = new Map([
    ["grant_type", "client_credentials"],
    ["client_id", clientId],
    ["client_secret", clientSecret],
    ...pairs(parameters.body),
  ]);
  const headers: Record<string, string> = { accept: "application/json", ...endToEnd(lastOfEach(parameters.headers)) };
  const common = { method, url, headers, timeoutMs: TOKEN_TIMEOUT_MS, answerBytesMax: TOKEN_ANSWER_BYTES_MAX };
  if (method === "GET") {
    for (const [key, value] of fields) url.searchParams.append(key, value);
    return { ...common, body: undefined };
  }
  headers["content-type"] ??= "application/x-www-form-urlencoded;charset=UTF-8";
  const isJson = /^application\/(?:[\w.-]+\+)?json\b/i.test(headers["content-type"]);
  return {
    ...common,
    body: Buffer.from(isJson ? JSON.stringify(Object.fromEntries(fields)) : new URLSearchParams([...fields]).toString()),
  };
}

/** What the endpoint's answer holds. No message repeats anything of it: it may hold secrets. */
export function readTokenAnswer(ending: HttpEnding): TokenAnswer {
  if (ending.kind === "busy") return { kind: "later", message: "Too many calls are under way." };
  if (ending.kind === "failed") {
    const isFinal = ending.why === "refused" || ending.why === "invalid";
    return { kind: isFinal ? "refused" : "later", message: `The authorization endpoint gave no token: ${ending.message}` };
  }
  const { status, body, whole } = ending;
  if (status === 408 || status === 429 || status >= 500)
    return { kind: "later", message: `The authorization endpoint returned HTTP status ${status}.` };
  if (status < 200 || status >= 300) return { kind: "refused", message: `The authorization endpoint returned HTTP status ${status}.` };
  const fields = whole ? jsonObject(body) : undefined;
  const [token, life] = [fields?.["access_token"], fields?.["expires_in"]];
  if (typeof token !== "string" || token.length > TOKEN_CHARACTERS_MAX || !/^[\x21-\x7e]+$/.test(token))
    return { kind: "refused", message: "The authorization endpoint's answer is no JSON object with an access_token." };
  const seconds = typeof life === "string" && life.trim() !== "" ? Number(life) : life;
  const isLife = typeof seconds === "number" && Number.isFinite(seconds) && seconds >= 0;
  return { kind: "token", token, lifeMs: isLife ? Math.min(seconds * 1_000, TOKEN_LIFE_MS_MAX) : undefined };
}

function jsonObject(body: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function pairs(parameters: readonly ConnectionParameter[]): [string, string][] {
  return parameters.map(({ key, value }) => [key, value]);
}
