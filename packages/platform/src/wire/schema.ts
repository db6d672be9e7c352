/**
 * A service's schema, revived from its data: shapes that know their members, members that know where HTTP carries
 * them and which rules they keep. Everything is made on first use and kept, so a service costs what is used of it.
 */
import { invariant, unreachable } from "../base/index.ts";
import type {
  OperationData,
  Protocol,
  RefData,
  RuleData,
  ServiceData,
  ServiceMetadata,
  StructureData,
  TargetData,
  TraitsData,
} from "./service-data.ts";
import { wholePattern } from "./whole-pattern.ts";

export type TimestampFormat = "default" | "date-time" | "http-date" | "epoch-seconds";

export interface SimpleShape {
  readonly kind: "string" | "number" | "boolean" | "document";
}
export interface TimestampShape {
  readonly kind: "timestamp";
  readonly format: TimestampFormat;
}
export interface BlobShape {
  readonly kind: "blob";
  readonly streaming: boolean;
}
export interface ListShape {
  readonly kind: "list";
  readonly value: Member;
}
export interface MapShape {
  readonly kind: "map";
  readonly key: Member;
  readonly value: Member;
}
export type Shape = SimpleShape | TimestampShape | BlobShape | ListShape | MapShape | StructureShape;

/** Where an HTTP message carries a member. */
export type Location = "body" | "label" | "query" | "queryMap" | "header" | "prefixHeaders" | "payload" | "status";

export interface Member {
  readonly name: string;
  readonly shape: Shape;
  readonly required: boolean;
  readonly location: Location;
  /** Query key, lower-case header name or header prefix; empty for the other locations. */
  readonly locationName: string;
  readonly jsonName: string;
  readonly xmlName: string | undefined;
  readonly xmlFlattened: boolean;
  /** The member is an attribute of the element around it. */
  readonly xmlAttribute: boolean;
  /** A namespace that the member's element declares. */
  readonly xmlNamespace: { readonly prefix: string; readonly uri: string } | undefined;
  readonly mediaType: string | undefined;
  /** The value never appears in messages. */
  readonly sensitive: boolean;
  /** The member is the whole payload of an event. */
  readonly eventPayload: boolean;
  readonly rule: Rule | undefined;
}

/** What a value must keep; the pattern is compiled when it is first needed. */
export interface Rule extends Omit<RuleData, "pattern" | "each" | "key" | "value" | "enum"> {
  readonly enum: ReadonlySet<string> | undefined;
  readonly pattern: { readonly source: string; readonly whole: RegExp } | undefined;
  readonly each: Rule | undefined;
  readonly key: Rule | undefined;
  readonly value: Rule | undefined;
}

/** The members of a structure by where HTTP carries them. */
export interface HttpBindings {
  readonly labels: ReadonlyMap<string, Member>;
  readonly queries: readonly Member[];
  readonly headers: readonly Member[];
  readonly body: readonly Member[];
  readonly queryMap: Member | undefined;
  readonly prefixHeaders: Member | undefined;
  readonly payload: Member | undefined;
  readonly status: Member | undefined;
}

const TRAIT_BITS = ["httpLabel", "idempotent", "idempotencyToken", "sensitive", "httpPayload", "httpResponseCode", "httpQueryParams"];

type Traits = Readonly<Record<string, unknown>>;
const NO_TRAITS: Traits = Object.freeze({});

function traitsOf(data: TraitsData): Traits {
  if (data === 0) return NO_TRAITS;
  if (typeof data !== "number") return data;
  return Object.fromEntries(TRAIT_BITS.filter((_, bit) => (data & (1 << bit)) !== 0).map((name) => [name, 1]));
}

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** `[prefix, uri]` in the data. */
function namespaceOf(value: unknown): Member["xmlNamespace"] {
  return Array.isArray(value) ? { prefix: String(value[0]), uri: String(value[1]) } : undefined;
}

function locate(traits: Traits): { location: Location; locationName: string } {
  const named = (location: Location, name: string | undefined): { location: Location; locationName: string } => ({
    location,
    locationName: name ?? "",
  });
  if (traits["httpLabel"]) return named("label", "");
  if (traits["httpPayload"]) return named("payload", "");
  if (traits["httpResponseCode"]) return named("status", "");
  if (traits["httpQueryParams"]) return named("queryMap", "");
  if (traits["httpQuery"] !== undefined) return named("query", text(traits["httpQuery"]));
  if (traits["httpHeader"] !== undefined) return named("header", text(traits["httpHeader"])?.toLowerCase());
  if (traits["httpPrefixHeaders"] !== undefined) return named("prefixHeaders", text(traits["httpPrefixHeaders"])?.toLowerCase());
  return named("body", "");
}

/** A structure, union, error, or the events of a stream. */
export class StructureShape {
  readonly kind = "structure";
  readonly name: string;
  readonly union: boolean;
  /** Set for errors: who is at fault, the status, and the code awsQuery has for it. */
  readonly error: ErrorTraits | undefined;
  readonly eventStream: boolean;
  readonly xmlName: string | undefined;
  readonly #data: StructureData;
  readonly #shapes: ShapeTable;
  #members: readonly Member[] | undefined;
  #byName: ReadonlyMap<string, Member> | undefined;
  #bindings: HttpBindings | undefined;

  constructor(name: string, data: StructureData, shapes: ShapeTable) {
    const traits = traitsOf(data[1]);
    this.name = name;
    this.union = data[0] === 4;
    this.error = data[0] === -3 ? errorTraits(name, traits) : undefined;
    this.eventStream = this.union && traits["streaming"] !== undefined;
    this.xmlName = text(traits["xmlName"]);
    this.#data = data;
    this.#shapes = shapes;
  }

  get members(): readonly Member[] {
    return (this.#members ??= this.#data[2].map((name, index) => {
      const ref = this.#data[3][index] ?? unreachable(`${this.name}.${name} has no reference`);
      return this.#shapes.member(name, ref, index < (this.#data[4] ?? 0), this.#shapes.memberRule(this.name, name));
    }));
  }

  get byName(): ReadonlyMap<string, Member> {
    return (this.#byName ??= new Map(this.members.map((member) => [member.name, member])));
  }

  /** Members that a path holds, told without making any member: a table of routes asks every operation. */
  get labelNames(): readonly string[] {
    const [, , names, refs] = this.#data;
    return names.filter((_, index) => {
      const ref = refs[index];
      return typeof ref === "object" && traitsOf(ref[1])["httpLabel"] !== undefined;
    });
  }

  get bindings(): HttpBindings {
    if (this.#bindings) return this.#bindings;
    const at = (location: Location): Member[] => this.members.filter((member) => member.location === location);
    return (this.#bindings = {
      labels: new Map(at("label").map((member) => [member.name, member])),
      queries: at("query"),
      headers: at("header"),
      body: at("body"),
      queryMap: at("queryMap")[0],
      prefixHeaders: at("prefixHeaders")[0],
      payload: at("payload")[0],
      status: at("status")[0],
    });
  }
}

export interface ErrorTraits {
  readonly fault: "client" | "server";
  readonly status: number;
  /** Code in awsQuery, and in the header of query-compatible services. */
  readonly queryCode: string;
  readonly queryStatus: number;
}

function errorTraits(name: string, traits: Traits): ErrorTraits {
  const fault = traits["error"] === "server" ? "server" : "client";
  const modelled = traits["httpError"];
  const status = typeof modelled === "number" ? modelled : fault === "client" ? 400 : 500;
  const query = traits["awsQueryError"];
  const [queryCode, queryStatus] = Array.isArray(query) ? [String(query[0]), Number(query[1])] : [name, status];
  return { fault, status, queryCode, queryStatus };
}

export interface HttpTrait {
  readonly method: string;
  readonly uri: string;
  readonly status: number;
}

/** One operation of a service. */
export class OperationModel {
  readonly name: string;
  /** Absent where the service has no REST form. */
  readonly http: HttpTrait | undefined;
  readonly #data: OperationData;
  readonly #shapes: ShapeTable;

  constructor(name: string, data: OperationData, shapes: ShapeTable) {
    const http = traitsOf(data[1])["http"];
    this.name = name;
    this.http = Array.isArray(http) ? { method: String(http[0]), uri: String(http[1]), status: Number(http[2]) } : undefined;
    this.#data = data;
    this.#shapes = shapes;
  }

  /** Undefined when the operation takes nothing. */
  get input(): StructureShape | undefined {
    return this.#shapes.structure(this.#data[2]);
  }

  /** Undefined when the operation answers nothing. */
  get output(): StructureShape | undefined {
    return this.#shapes.structure(this.#data[3]);
  }
}

/** A service as the rest of Lambent sees it. Made by `loadService` and `defineService`. */
export class ServiceModel {
  readonly metadata: ServiceMetadata;
  readonly operations: ReadonlyMap<string, OperationModel>;
  readonly #errors: ReadonlyMap<string, StructureData>;
  readonly #shapes: ShapeTable;

  constructor(data: ServiceData) {
    this.metadata = data.service;
    this.#shapes = new ShapeTable(data);
    const operations = new Map<string, OperationModel>();
    const errors = new Map<string, StructureData>();
    for (const [name, shape] of Object.entries(data.shapes)) {
      if (shape[0] === 9) operations.set(name, new OperationModel(name, shape, this.#shapes));
      else if (shape[0] === -3) errors.set(name, shape);
    }
    this.operations = operations;
    this.#errors = errors;
  }

  get name(): string {
    return this.metadata.name;
  }

  /** The service in a credential scope. */
  get signingName(): string {
    return this.metadata.signingName;
  }

  get protocol(): Protocol {
    return this.metadata.protocol;
  }

  get errorNames(): readonly string[] {
    return [...this.#errors.keys()];
  }

  /** The shape of a modelled error, or undefined for one that only this server knows. */
  error(name: string): StructureShape | undefined {
    return this.#errors.has(name) ? this.#shapes.structure(`#${name}`) : undefined;
  }
}

const SIMPLE: Readonly<Record<number, Shape>> = {
  0: { kind: "string" },
  1: { kind: "number" },
  2: { kind: "boolean" },
  4: { kind: "timestamp", format: "default" },
  5: { kind: "timestamp", format: "date-time" },
  6: { kind: "timestamp", format: "http-date" },
  7: { kind: "timestamp", format: "epoch-seconds" },
  15: { kind: "document" },
  21: { kind: "blob", streaming: false },
  42: { kind: "blob", streaming: true },
};
const SIMPLE_BITS = 63;
const LIST_BIT = 64;
const MAP_BIT = 128;

/** Turns references into shapes; each shape is made once. */
class ShapeTable {
  readonly #data: ServiceData;
  readonly #shapes = new Map<TargetData, Shape>();
  readonly #rules = new Map<string, Rule>();

  constructor(data: ServiceData) {
    this.#data = data;
  }

  structure(target: TargetData): StructureShape | undefined {
    if (target === "unit") return undefined;
    const shape = this.#shape(target);
    invariant(shape.kind === "structure", `${String(target)} is a structure`);
    return shape;
  }

  memberRule(structure: string, member: string): Rule | undefined {
    return this.#rule(this.#data.memberRules[structure]?.[member]);
  }

  member(name: string, ref: RefData, required: boolean, rule: Rule | undefined): Member {
    const [target, own] = typeof ref === "object" ? ref : [ref, 0];
    const traits = { ...this.#traits(target), ...traitsOf(own) };
    return {
      name,
      shape: this.#shape(target),
      required,
      ...locate(traits),
      jsonName: text(traits["jsonName"]) ?? name,
      // A name that the target has for itself as a root is not a name of its members.
      xmlName: text(traitsOf(own)["xmlName"]),
      xmlFlattened: traits["xmlFlattened"] !== undefined,
      xmlAttribute: traits["xmlAttribute"] !== undefined,
      xmlNamespace: namespaceOf(traits["xmlNamespace"]),
      mediaType: text(traits["mediaType"]),
      sensitive: traits["sensitive"] !== undefined,
      eventPayload: traits["eventPayload"] !== undefined,
      rule,
    };
  }

  #traits(target: TargetData): Traits {
    const data = typeof target === "string" ? this.#data.shapes[target.slice(1)] : undefined;
    return data === undefined ? NO_TRAITS : traitsOf(data[1]);
  }

  #shape(target: TargetData): Shape {
    const known = this.#shapes.get(target);
    if (known) return known;
    const shape = typeof target === "number" ? this.#plain(target) : this.#named(target);
    this.#shapes.set(target, shape);
    return shape;
  }

  #plain(number: number): Shape {
    const simple = (): Shape => SIMPLE[number & SIMPLE_BITS] ?? unreachable(`a schema of kind ${number}`);
    if (number < LIST_BIT) return simple();
    const value = this.member("member", number & SIMPLE_BITS, false, undefined);
    if ((number & MAP_BIT) === 0) return { kind: "list", value };
    return { kind: "map", key: this.member("key", 0, false, undefined), value };
  }

  #named(target: string): Shape {
    const data = this.#data.shapes[target.slice(1)];
    invariant(data !== undefined && data[0] !== 9, `the shape ${target} exists`);
    switch (data[0]) {
      case 0:
        return this.#shape(data[2]);
      case 1:
        return lazyList(() => this.member("member", data[2], false, undefined));
      case 2:
        return lazyMap(
          () => this.member("key", data[2], false, undefined),
          () => this.member("value", data[3], false, undefined),
        );
      default:
        return new StructureShape(target.slice(1), data, this);
    }
  }

  #rule(name: string | undefined): Rule | undefined {
    if (name === undefined) return undefined;
    const known = this.#rules.get(name);
    if (known) return known;
    const data = this.#data.rules[name] ?? unreachable(`the rule ${name} exists`);
    const rule = reviveRule(data, (nested) => this.#rule(nested));
    this.#rules.set(name, rule);
    return rule;
  }
}

// A list may hold itself by way of a structure, so what it holds is looked up when it is first asked for.
function lazyList(make: () => Member): ListShape {
  let value: Member | undefined;
  return {
    kind: "list",
    get value() {
      return (value ??= make());
    },
  };
}

function lazyMap(makeKey: () => Member, makeValue: () => Member): MapShape {
  let key: Member | undefined;
  let value: Member | undefined;
  return {
    kind: "map",
    get key() {
      return (key ??= makeKey());
    },
    get value() {
      return (value ??= makeValue());
    },
  };
}

function reviveRule(data: RuleData, nested: (name: string | undefined) => Rule | undefined): Rule {
  const source = data.pattern;
  let whole: RegExp | undefined;
  const pattern =
    source === undefined
      ? undefined
      : {
          source,
          get whole() {
            return (whole ??= wholePattern(source));
          },
        };
  return {
    ...(data.min === undefined ? {} : { min: data.min }),
    ...(data.max === undefined ? {} : { max: data.max }),
    ...(data.integer === undefined ? {} : { integer: data.integer }),
    enum: data.enum && new Set(data.enum),
    pattern,
    each: nested(data.each),
    key: nested(data.key),
    value: nested(data.value),
  };
}
