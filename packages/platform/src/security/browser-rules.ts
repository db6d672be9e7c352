import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";

/**
 * What a browser may do, decided before authentication from the headers only browsers set truthfully: a page of another site
 * must not drive the API of the server on the same machine, nor reach it through a name it made resolve to loopback.
 */

/** What answers under an address. Function URLs have CORS of their own, S3 will have: for both only the host is checked. */
export type Surface = "api" | "console" | "functionUrl" | "s3" | "health";

export interface BrowserRules {
  /** Names beside loopback addresses and `localhost` that this listener serves (`--allow-host`), without port; `*.example.test` takes every name below. */
  readonly allowedHosts: readonly string[];
  /** Origins, beside the listener's own, whose pages may call API and console: `https://console.example.test`. */
  readonly allowedOrigins: readonly string[];
}

export type BrowserVerdict = { readonly kind: "allowed" } | { readonly kind: "refused"; readonly reason: string };

const ALLOWED: BrowserVerdict = { kind: "allowed" };

/** Whether a request with these headers may reach `surface`. */
export function checkBrowser(surface: Surface, headers: IncomingHttpHeaders, rules: BrowserRules): BrowserVerdict {
  const host = headers.host ?? oneValue(headers[":authority"]);
  if (host === undefined) return refuse("The request has no Host header.");
  if (!hostAllowed(host, rules)) return refuse(`The host ${show(host)} is not one this listener serves; --allow-host adds names.`);
  return surface === "api" || surface === "console" ? checkSite(headers, host, rules) : ALLOWED;
}

function checkSite(headers: IncomingHttpHeaders, host: string, rules: BrowserRules): BrowserVerdict {
  const { origin } = headers;
  const known = origin !== undefined && (rules.allowedOrigins.includes(origin) || isOwnOrigin(origin, host));
  if (origin !== undefined && !known) return refuse(`Pages of ${show(origin)} may not call this server.`);
  const site = oneValue(headers["sec-fetch-site"]);
  // An origin allowed by name is another site, and says so.
  if (site !== undefined && site !== "none" && site !== "same-origin" && !(known && !isOwnOrigin(origin, host))) {
    return refuse(`A browser sent this request from another site (Sec-Fetch-Site: ${show(site)}).`);
  }
  return ALLOWED;
}

/** Most requests name the same host as the one before; the rules of a listener do not change. */
const lastAllowed = new WeakMap<BrowserRules, string>();

function hostAllowed(host: string, rules: BrowserRules): boolean {
  if (lastAllowed.get(rules) === host) return true;
  const allowed = isAllowedHost(host, rules);
  if (allowed) lastAllowed.set(rules, host);
  return allowed;
}

/** True when `host` (with or without port) is a loopback address, `localhost`, a name below `localhost`, or an allowed name. */
function isAllowedHost(host: string, rules: BrowserRules): boolean {
  const name = hostName(host);
  if (name === undefined) return false;
  if (name === "localhost" || name.endsWith(".localhost") || isLoopbackAddress(name)) return true;
  return rules.allowedHosts.some((entry) => {
    const allowed = entry.toLowerCase();
    return allowed.startsWith("*.")
      ? name.endsWith(allowed.slice(1)) && name.length > allowed.length - 1
      : name === allowed.replace(/^\[|\]$/g, "");
  });
}

/** Lower-case name of a Host header without port, brackets and a final dot; undefined when malformed. */
function hostName(host: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/.exec(host.toLowerCase());
  const name = match?.[1] ?? match?.[2]?.replace(/\.$/, "");
  return name === "" ? undefined : name;
}

function isLoopbackAddress(name: string): boolean {
  if (isIP(name) === 4) return name.startsWith("127.");
  return isIP(name) === 6 && new URL(`http://[${name}]/`).hostname === "[::1]";
}

function isOwnOrigin(origin: string, host: string): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}

function oneValue(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(",") : value;
}

function refuse(reason: string): BrowserVerdict {
  return { kind: "refused", reason };
}

function show(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
