import type { FunctionUrl, UrlMatch } from "./handler.ts";

/** Finds a function URL by its id, or by its function's name in the default realm. */
export type FindUrl = (idOrName: string) => FunctionUrl | undefined;

const PATH_PREFIX = "/function-url/";
const HOST_MARK = ".lambda-url.";

/** How a request names a function; `unknown` names one that has no URL. */
export type UrlMatching =
  | { readonly kind: "matched"; readonly match: UrlMatch }
  | { readonly kind: "unknown"; readonly name: string }
  | { readonly kind: "none" };

/**
 * Matches the host form `<id|name>.lambda-url.<domain>` and the path form `/function-url/<id|name>/…`.
 * `host` is the Host header, `target` path and query as sent.
 */
export function matchUrl(host: string, target: string, find: FindUrl): UrlMatching {
  const mark = host.indexOf(HOST_MARK);
  if (mark > 0) return matched(host.slice(0, mark), target, undefined, host, find);
  if (!target.startsWith(PATH_PREFIX)) return { kind: "none" };
  const end = endOfSegment(target, PATH_PREFIX.length);
  const name = target.slice(PATH_PREFIX.length, end);
  const rest = target.slice(end);
  return matched(name, rest.startsWith("/") ? rest : `/${rest}`, PATH_PREFIX + name, host, find);
}

function matched(name: string, target: string, prefix: string | undefined, host: string, find: FindUrl): UrlMatching {
  const url = find(name);
  if (!url) return { kind: "unknown", name };
  const colon = host.lastIndexOf(":");
  return { kind: "matched", match: { url, target, prefix, domain: colon < 0 ? host : host.slice(0, colon) } };
}

function endOfSegment(target: string, from: number): number {
  for (let at = from; at < target.length; at++) {
    const code = target.charCodeAt(at);
    if (code === 47 || code === 63) return at;
  }
  return target.length;
}
