/** Members that travel outside the body: in the path, the query, headers and the status. */
import { HEADER_ENTRIES_MAX } from "./bounds.ts";
import { formatText, malformed, parseText } from "./codec/text.ts";
import type { WireRequest } from "./http.ts";
import { decodePercent, type RoutedRequest } from "./route.ts";
import type { HttpBindings, Member } from "./schema.ts";

type Values = Record<string, unknown>;

/** Reads what path, query and headers hold into `into`. */
export function readBindings(bindings: HttpBindings, routed: RoutedRequest, request: WireRequest, into: Values): void {
  readLabels(bindings, routed, into);
  readQueries(bindings, routed, into);
  for (const member of bindings.headers) {
    const value = request.headers[member.locationName];
    if (value !== undefined) into[member.name] = readHeader(member, value);
  }
  if (bindings.prefixHeaders) readPrefixHeaders(bindings.prefixHeaders, request.headers, into);
}

export function readLabels(bindings: HttpBindings, { route, segments }: RoutedRequest, into: Values): void {
  for (const { segment, name, greedy } of route.labels) {
    const member = bindings.labels.get(name);
    const raw = greedy ? segments.slice(segment).join("/") : segments[segment];
    if (member && raw !== undefined) into[name] = parseText(member, decodePercent(raw), name);
  }
}

export function readQueries(bindings: HttpBindings, { route, query }: RoutedRequest, into: Values): void {
  if (query.size === 0 || (bindings.queries.length === 0 && !bindings.queryMap)) return;
  for (const member of bindings.queries) {
    const values = query.get(member.locationName);
    if (values === undefined) continue;
    const shape = member.shape;
    into[member.name] =
      shape.kind === "list"
        ? values.map((value) => parseText(shape.value, value, member.name))
        : parseText(member, values.at(-1) ?? "", member.name);
  }
  if (bindings.queryMap) readQueryMap(bindings, bindings.queryMap, { route, query }, into);
}

/** The pairs that no other member and no literal of the template has taken. */
function readQueryMap(
  bindings: HttpBindings,
  member: Member,
  { route, query }: Pick<RoutedRequest, "route" | "query">,
  into: Values,
): void {
  if (member.shape.kind !== "map") return;
  const lists = member.shape.value.shape.kind === "list";
  const taken = new Set([...bindings.queries.map(({ locationName }) => locationName), ...route.queryLiterals.map(([name]) => name)]);
  const map: Values = { __proto__: null };
  for (const [name, values] of query) if (!taken.has(name)) map[name] = lists ? [...values] : values.at(-1);
  if (Object.keys(map).length > 0) into[member.name] = map;
}

export function readHeader(member: Member, text: string): unknown {
  const shape = member.shape;
  if (shape.kind === "list")
    return splitHeader(text, shape.value.shape.kind === "timestamp", member.name).map((entry) =>
      parseText(shape.value, entry, member.name),
    );
  // A media type makes a string's bytes, often JSON, fit for a header.
  if (shape.kind === "string" && member.mediaType !== undefined) return Buffer.from(text, "base64").toString("utf8");
  return parseText(member, text.trim(), member.name);
}

/** Splits on commas outside quotes; a list of HTTP dates on every second comma. */
function splitHeader(text: string, dates: boolean, name: string): string[] {
  const entries = dates ? (text.match(/[^,]+,[^,]+/g) ?? [text]) : (text.match(/"(?:\\.|[^"\\])*"|[^",\s](?:[^",]*[^",\s])?/g) ?? []);
  if (entries.length > HEADER_ENTRIES_MAX)
    throw malformed(name, `a list of at most ${HEADER_ENTRIES_MAX} entries`, `${entries.length} entries`);
  return entries.map((entry) => (entry.startsWith('"') ? entry.slice(1, -1).replaceAll(/\\(.)/g, "$1") : entry.trim()));
}

export function readPrefixHeaders(member: Member, headers: WireRequest["headers"], into: Values): void {
  const map: Values = { __proto__: null };
  let found = false;
  for (const name of Object.keys(headers)) {
    if (!name.startsWith(member.locationName)) continue;
    map[name.slice(member.locationName.length)] = headers[name];
    found = true;
  }
  if (found) into[member.name] = map;
}

/** The headers of an answer, lower case. */
export function writeHeaders(bindings: HttpBindings, values: Readonly<Values>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const member of bindings.headers) {
    const value = values[member.name];
    if (value !== undefined && value !== null) headers[member.locationName] = headerText(formatHeader(member, value));
  }
  const prefixed = bindings.prefixHeaders;
  if (prefixed) {
    for (const [name, value] of Object.entries((values[prefixed.name] as Values | undefined) ?? {})) {
      if (HEADER_NAME.test(name)) headers[`${prefixed.locationName}${name.toLowerCase()}`] = headerText(String(value));
    }
  }
  return headers;
}

function formatHeader(member: Member, value: unknown): string {
  const shape = member.shape;
  if (shape.kind === "list") {
    return (value as readonly unknown[])
      .map((entry) => formatText(shape.value, entry, "http-date"))
      .map((entry) =>
        shape.value.shape.kind !== "timestamp" && /[",]/.test(entry) ? `"${entry.replaceAll(/["\\]/g, String.raw`\$&`)}"` : entry,
      )
      .join(", ");
  }
  if (shape.kind === "string" && member.mediaType !== undefined) return Buffer.from(String(value), "utf8").toString("base64");
  return formatText(member, value, "http-date");
}

const HEADER_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const OUTSIDE_HEADER = /[^\t\x20-\x7e\x80-\xff]/;

/** What a header cannot carry would make the answer itself fail, so it is shown as question marks. */
function headerText(text: string): string {
  return OUTSIDE_HEADER.test(text) ? text.replaceAll(new RegExp(OUTSIDE_HEADER, "g"), "?") : text;
}
