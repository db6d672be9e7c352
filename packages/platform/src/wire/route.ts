/** REST routes: a tree over path segments, so that a look-up costs the length of the path, not the number of routes. */
import { LambentError } from "../base/index.ts";
import { PAIRS_MAX, URL_CHARS_MAX } from "./bounds.ts";
import type { Member, OperationModel, ServiceModel } from "./schema.ts";

export interface Route {
  readonly operation: OperationModel;
  readonly method: string;
  /** Label name by segment; the greedy one, if any, is last and takes the rest. */
  readonly labels: readonly { readonly segment: number; readonly name: string; readonly greedy: boolean }[];
  /** Query keys of the template, with the value they must have where it gives one. */
  readonly queryLiterals: readonly (readonly [name: string, value: string | undefined])[];
  readonly requiredQueries: readonly string[];
  readonly requiredHeaders: readonly string[];
  /** The value of `x-id` that some clients add: tells nothing but a draw. */
  readonly hint: string | undefined;
  /** Query keys by which routes of the same path, method and literals are told from this one. */
  readonly foreignQueries: readonly string[];
}

interface RouteTable {
  readonly root: Node;
  /** Each slash of a path means something, as in S3's keys; elsewhere one at the end does not. */
  readonly exact: boolean;
}

interface Node {
  readonly literals: Map<string, Node>;
  label: Node | undefined;
  greedy: Node | undefined;
  /** Most specific first. */
  readonly routes: Route[];
}

/** Names to values, each name once, in the order of their first appearance. */
export type Query = ReadonlyMap<string, readonly string[]>;
const HINT = "x-id";
const NO_QUERY: Query = new Map();

export interface RoutedRequest {
  readonly route: Route;
  /** Raw, still percent-encoded. */
  readonly segments: readonly string[];
  readonly query: Query;
}

const tables = new WeakMap<ServiceModel, RouteTable>();
const emptyNode = (): Node => ({ literals: new Map(), label: undefined, greedy: undefined, routes: [] });

/** Finds the operation for a method and a raw URL; undefined when there is none. */
export function findRoute(
  service: ServiceModel,
  method: string,
  rawUrl: string,
  headers: Readonly<Record<string, string | undefined>>,
): RoutedRequest | undefined {
  if (rawUrl.length > URL_CHARS_MAX)
    throw new LambentError("RequestTooLarge", `The URL has ${rawUrl.length} characters; at most ${URL_CHARS_MAX} are read.`);
  let table = tables.get(service);
  if (!table) {
    table = buildTable(service);
    tables.set(service, table);
  }
  const mark = rawUrl.indexOf("?");
  const path = mark === -1 ? rawUrl : rawUrl.slice(0, mark);
  const segments = table.exact ? splitExactPath(path) : splitPath(path);
  const query = mark === -1 ? NO_QUERY : parseQuery(rawUrl.slice(mark + 1));
  const hint = query.get(HINT)?.[0];
  const route = walk(table, table.root, segments, 0, (routes) => {
    const accepted = (candidate: Route): boolean => accepts(candidate, method, query, headers);
    const first = routes.find(accepted);
    if (!first || hint === undefined || first.hint === hint) return first;
    return routes.find((each) => each.hint === hint && specificity(each) === specificity(first) && accepted(each)) ?? first;
  });
  return route && { route, segments, query };
}

/** Segments of a path that may end in a slash; botocore writes one where the SDK for JavaScript does not. */
function splitPath(path: string): string[] {
  const end = path.length > 1 && path.endsWith("/") ? path.length - 1 : path.length;
  return path.slice(path.startsWith("/") ? 1 : 0, end).split("/");
}

/** The same with every slash kept, but for the one after the first segment where nothing follows: `/bucket/` is the bucket. */
function splitExactPath(path: string): string[] {
  const segments = path.slice(path.startsWith("/") ? 1 : 0).split("/");
  if (segments.length === 2 && segments[1] === "") segments.pop();
  return segments;
}

// A literal wins over a label at the first segment where two routes differ. Depth is the path's, which is bounded.
function walk(
  table: RouteTable,
  node: Node,
  segments: readonly string[],
  index: number,
  choose: (routes: readonly Route[]) => Route | undefined,
): Route | undefined {
  const segment = segments[index];
  if (segment === undefined) return choose(node.routes);
  const literal = node.literals.get(segment);
  const found = literal && walk(table, literal, segments, index + 1, choose);
  if (found) return found;
  const labelled = segment !== "" && node.label ? walk(table, node.label, segments, index + 1, choose) : undefined;
  return labelled ?? (node.greedy && (segment !== "" || table.exact) ? choose(node.greedy.routes) : undefined);
}

function accepts(route: Route, method: string, query: Query, headers: Readonly<Record<string, string | undefined>>): boolean {
  if (route.method !== method) return false;
  for (const [name, value] of route.queryLiterals) {
    const given = query.get(name);
    if (given === undefined || (value !== undefined && !given.includes(value))) return false;
  }
  return route.requiredQueries.every((name) => query.has(name)) && route.requiredHeaders.every((name) => headers[name] !== undefined);
}

/** The template of an operation. S3's leave out the bucket, which stands first in its paths. */
function templateOf({ http, input }: OperationModel, exact: boolean): readonly [path: string, query: string] {
  const [path = "", query = ""] = (http?.uri ?? "").split("?");
  if (!exact) return [path, query];
  const missing = (input?.labelNames ?? []).filter((name) => !path.includes(`{${name}`));
  return [missing.map((name) => `/{${name}}`).join("") + path, query];
}

function buildTable(service: ServiceModel): RouteTable {
  const exact = service.protocol === "restXml";
  const root = emptyNode();
  const pathsSeen = new Map<Node, number>();
  for (const operation of service.operations.values()) {
    if (!operation.http) continue;
    const [path, query] = templateOf(operation, exact);
    const labels: { segment: number; name: string; greedy: boolean }[] = [];
    const node = (exact ? splitExactPath(path) : splitPath(path)).reduce((at, segment, index) => {
      const label = /^\{([A-Za-z0-9_]+)(\+?)\}$/.exec(segment);
      if (!label) return getOrAdd(at.literals, segment, emptyNode);
      labels.push({ segment: index, name: label[1] ?? "", greedy: label[2] === "+" });
      return label[2] === "+" ? (at.greedy ??= emptyNode()) : (at.label ??= emptyNode());
    }, root);
    node.routes.push({
      operation,
      method: operation.http.method,
      labels,
      queryLiterals: literalsOf(query),
      requiredQueries: [],
      requiredHeaders: [],
      hint: /(?:^|&)x-id=([^&]+)/.exec(query)?.[1],
      foreignQueries: [],
    });
    pathsSeen.set(node, (pathsSeen.get(node) ?? 0) + 1);
  }
  for (const node of pathsSeen.keys()) disambiguate(node);
  return { root, exact };
}

/**
 * Operations that share method, path and literals are told apart by what they require, the one that requires most
 * first. Where an operation has them for itself its required members are left to validation, whose message names them.
 */
function disambiguate(node: Node): void {
  const alike = Map.groupBy(node.routes, selectorOf);
  for (const [index, route] of node.routes.entries()) {
    const input = route.operation.input;
    const siblings = (alike.get(selectorOf(route)) ?? []).filter(({ operation }) => operation !== route.operation);
    if (!input || siblings.length === 0) continue;
    const { queries, headers } = input.bindings;
    const own = new Set(queries.map(({ locationName }) => locationName));
    node.routes[index] = {
      ...route,
      requiredQueries: requiredNames(queries),
      requiredHeaders: requiredNames(headers),
      foreignQueries: siblings
        .flatMap(({ operation }) => requiredNames(operation.input?.bindings.queries ?? []))
        .filter((name) => !own.has(name)),
    };
  }
  node.routes.sort((left, right) => specificity(right) - specificity(left));
}

const requiredNames = (members: readonly Member[]): string[] =>
  members.filter(({ required }) => required).map(({ locationName }) => locationName);

const selectorOf = ({ method, queryLiterals }: Route): string => JSON.stringify([method, queryLiterals]);

function specificity(route: Route): number {
  return 10 * route.queryLiterals.length + route.requiredQueries.length + route.requiredHeaders.length;
}

function literalsOf(query: string): (readonly [string, string | undefined])[] {
  const pairs = query === "" ? [] : query.split("&");
  return pairs
    .map((pair): readonly [string, string | undefined] => {
      const [name = "", value] = pair.split("=");
      return [name, value === "" ? undefined : value];
    })
    .filter(([name]) => name !== HINT); // only some clients send it
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** Reads a query or a form; "+" is a space in both. */
export function parseQuery(text: string): Query {
  const query = new Map<string, string[]>();
  let pairs = 0;
  for (let start = 0; start < text.length;) {
    const next = text.indexOf("&", start);
    const end = next === -1 ? text.length : next;
    if (end > start) {
      pairs += 1;
      if (pairs > PAIRS_MAX) throw new LambentError("RequestTooLarge", `The query has more than ${PAIRS_MAX} pairs.`);
      const equals = text.indexOf("=", start);
      const split = equals === -1 || equals > end ? end : equals;
      getOrAdd(query, decodeFormText(text.slice(start, split)), (): string[] => []).push(
        split === end ? "" : decodeFormText(text.slice(split + 1, end)),
      );
    }
    start = end + 1;
  }
  return query;
}

function decodeFormText(text: string): string {
  return decodePercent(text.includes("+") ? text.replaceAll("+", " ") : text);
}

/** Decodes %XX; text that is not well formed is the request's fault. */
export function decodePercent(text: string): string {
  if (!text.includes("%")) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    throw new LambentError("MalformedRequest", "The URL or form has a percent escape that is not UTF-8.");
  }
}
