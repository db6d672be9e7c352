/**
 * Under `/function-url/<name>/` all functions share one origin with the console and each other. So their answers are
 * put into an opaque origin by CSP, and their cookies stay below their own prefix (ARCHITECTURE.md §7, Browsers).
 */

/** Everything a page may do except speak for the shared origin. */
const SANDBOX_POLICY =
  "sandbox allow-scripts allow-forms allow-popups allow-popups-to-escape-sandbox allow-modals allow-downloads allow-top-navigation-by-user-activation";

/** Adds the sandbox to `headers` and keeps cookies below `prefix` (`/function-url/<name>`). */
export function confineToPrefix(headers: Record<string, string | string[]>, prefix: string): void {
  const own = headers["content-security-policy"];
  headers["content-security-policy"] = own === undefined ? SANDBOX_POLICY : [...[own].flat(), SANDBOX_POLICY];
  const cookies = headers["set-cookie"];
  if (cookies !== undefined) headers["set-cookie"] = [cookies].flat().map((cookie) => cookieBelow(cookie, prefix));
}

/** The cookie with its path below `prefix`, without a domain: `id=7; Path=/shop` becomes `id=7; Path=/function-url/a/shop`. */
export function cookieBelow(cookie: string, prefix: string): string {
  const [pair = "", ...attributes] = cookie.split(";").map((part) => part.trim());
  let path = "/";
  const kept: string[] = [];
  for (const attribute of attributes) {
    const equals = attribute.indexOf("=");
    const name = (equals < 0 ? attribute : attribute.slice(0, equals)).toLowerCase();
    if (name === "path") path = attribute.slice(equals + 1);
    else if (name !== "domain") kept.push(attribute);
  }
  const below = path.startsWith("/") ? path : "/";
  return [pair, ...kept, `Path=${prefix}${below === "/" ? "/" : below}`].join("; ");
}
