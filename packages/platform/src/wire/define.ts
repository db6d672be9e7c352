/**
 * Schemas written by hand, for Lambent's own API. They become the same data that is extracted for AWS's services, so
 * one decoder serves both; `TypeOf` gives the TypeScript type that a schema describes.
 *
 *     const Deploy = operation("Deploy", "PUT", "/_lambent/v1/apps/{name}", {
 *       input: structure("DeployRequest", { name: inPath(string({ max: 64 })), dryRun: optional(inQuery("dry-run", boolean())) }),
 *       output: structure("DeployResponse", { changes: list(string()) }),
 *     });
 */
import { invariant } from "../base/index.ts";
import type {
  OperationData,
  RefData,
  RuleData,
  ServiceData,
  ServiceMetadata,
  ShapeData,
  StructureData,
  TargetData,
} from "./service-data.ts";

type Traits = Readonly<Record<string, unknown>>;

/** Collects what schemas emit; `path` names a shape that has no name of its own. */
interface Emitter {
  shape(name: string, data: () => ShapeData): string;
  rule(name: string, data: RuleData): string;
  memberRules(structure: string, rules: Record<string, string>): void;
}

/** What one value looks like. `Value` exists for the type checker only. */
export interface Schema<Value> {
  readonly value?: Value;
  readonly traits: Traits;
  readonly optional: boolean;
  /** Undefined where the schema has no rule. */
  rule(path: string, emitter: Emitter): string | undefined;
  target(path: string, emitter: Emitter): TargetData;
}

/** A value that may be left out. */
export interface OptionalSchema<Value> extends Schema<Value> {
  readonly optional: true;
}

export interface StructureSchema<Value> extends Schema<Value> {
  readonly name: string;
}

/** The TypeScript type of the values a schema describes. */
export type TypeOf<S> = S extends Schema<infer Value> ? Value : never;

type Fields = Readonly<Record<string, Schema<unknown>>>;
type OptionalKeys<F> = { [K in keyof F]: F[K] extends OptionalSchema<unknown> ? K : never }[keyof F];
type Structure<F> = { readonly [K in Exclude<keyof F, OptionalKeys<F>>]: TypeOf<F[K]> } & {
  readonly [K in OptionalKeys<F>]?: TypeOf<F[K]> | undefined;
};

function simple<Value>(kind: number, rule: RuleData = {}): Schema<Value> {
  return {
    traits: {},
    optional: false,
    rule: (path, emitter) => (Object.keys(rule).length === 0 ? undefined : emitter.rule(path, rule)),
    target: () => kind,
  };
}

/** Text; `min` and `max` count characters, `pattern` must match the whole. */
export function string<const Choice extends string = string>(
  rule: { readonly enum?: readonly Choice[]; readonly min?: number; readonly max?: number; readonly pattern?: string } = {},
): Schema<Choice> {
  return simple(0, rule);
}

/** A number, with or without a fraction. */
export function number(rule: { readonly min?: number; readonly max?: number } = {}): Schema<number> {
  return simple(1, rule);
}

/** A number without a fraction. */
export function integer(rule: { readonly min?: number; readonly max?: number } = {}): Schema<number> {
  return simple(1, { ...rule, integer: true });
}

/** True or false. */
export function boolean(): Schema<boolean> {
  return simple(2);
}

/** A point in time, to the millisecond. */
export function timestamp(): Schema<Date> {
  return simple(4);
}

/** Any JSON value. */
export function document(): Schema<unknown> {
  return simple(15);
}

/** Bytes; base64 inside a JSON body, as they are when they are the payload. */
export function blob(rule: { readonly min?: number; readonly max?: number } = {}): Schema<Buffer> {
  return simple(21, rule);
}

/** Entries in order; `min` and `max` count them. */
export function list<Value>(entry: Schema<Value>, rule: { readonly min?: number; readonly max?: number } = {}): Schema<readonly Value[]> {
  return {
    traits: {},
    optional: false,
    rule: (path, emitter) => {
      const each = entry.rule(`${path}.each`, emitter);
      const data: RuleData = { ...rule, ...(each === undefined ? {} : { each }) };
      return Object.keys(data).length === 0 ? undefined : emitter.rule(path, data);
    },
    target: (path, emitter) => `#${emitter.shape(path, () => [1, 0, refTo(entry, `${path}.each`, emitter)])}`,
  };
}

/** Values by name; `max` counts them. */
export function map<Value>(entry: Schema<Value>, rule: { readonly max?: number } = {}): Schema<Readonly<Record<string, Value>>> {
  return {
    traits: {},
    optional: false,
    rule: (path, emitter) => {
      const value = entry.rule(`${path}.value`, emitter);
      const data: RuleData = { ...rule, ...(value === undefined ? {} : { value }) };
      return Object.keys(data).length === 0 ? undefined : emitter.rule(path, data);
    },
    target: (path, emitter) => `#${emitter.shape(path, () => [2, 0, 0, refTo(entry, `${path}.value`, emitter)])}`,
  };
}

/** Named members; each is required unless it is `optional`. One name stands for one structure in a service. */
export function structure<F extends Fields>(name: string, fields: F): StructureSchema<Structure<F>> {
  return {
    name,
    traits: {},
    optional: false,
    rule: () => undefined,
    target: (_path, emitter) => emitStructure(3, name, {}, fields, emitter),
  };
}

/** Events that an answer streams: each is an object with one of the members. The output's member of this kind is its payload. */
export function eventStream<F extends Fields>(name: string, events: F): Schema<AsyncIterable<Partial<Structure<F>>>> {
  const members = Object.fromEntries(Object.entries(events).map(([key, schema]) => [key, optional(schema)]));
  return {
    traits: { httpPayload: 1 },
    optional: false,
    rule: () => undefined,
    target: (_path, emitter) => emitStructure(4, name, { streaming: 1 }, members, emitter),
  };
}

function emitStructure(kind: 3 | 4 | -3, name: string, traits: Traits, fields: Fields, emitter: Emitter): string {
  return `#${emitter.shape(name, (): StructureData => {
    // Required members come first, by which the data knows them.
    const entries = Object.entries(fields).sort(([, left], [, right]) => Number(left.optional) - Number(right.optional));
    const rules: Record<string, string> = {};
    const refs = entries.map(([member, schema]): RefData => {
      const path = `${name}.${member}`;
      const rule = schema.rule(path, emitter);
      if (rule !== undefined) rules[member] = rule;
      return refTo(schema, path, emitter);
    });
    if (Object.keys(rules).length > 0) emitter.memberRules(name, rules);
    const required = entries.filter(([, schema]) => !schema.optional).length;
    return [kind, traits, entries.map(([member]) => member), refs, required];
  })}`;
}

/** With what the schema says of itself in this place: an entry is as secret as a member. */
function refTo(schema: Schema<unknown>, path: string, emitter: Emitter): RefData {
  return [schema.target(path, emitter), schema.traits];
}

function withTraits<S extends Schema<unknown>>(schema: S, traits: Traits): S {
  return { ...schema, traits: { ...schema.traits, ...traits } };
}

/** A member that may be left out. */
export function optional<Value>(schema: Schema<Value>): OptionalSchema<Value> {
  return { ...schema, optional: true };
}

/** A member that stands in the path, at `{its name}`. */
export function inPath<S extends Schema<unknown>>(schema: S): S {
  return withTraits(schema, { httpLabel: 1 });
}

/** A member that stands in the query; a list repeats the key. */
export function inQuery<S extends Schema<unknown>>(key: string, schema: S): S {
  return withTraits(schema, { httpQuery: key });
}

/** A member that stands in a header. */
export function inHeader<S extends Schema<unknown>>(header: string, schema: S): S {
  return withTraits(schema, { httpHeader: header });
}

/** A member that is the whole body. */
export function asPayload<S extends Schema<unknown>>(schema: S): S {
  return withTraits(schema, { httpPayload: 1 });
}

/** A member that is the answer's status. */
export function asStatus<S extends Schema<unknown>>(schema: S): S {
  return withTraits(schema, { httpResponseCode: 1 });
}

/** A member that no message repeats. */
export function secret<S extends Schema<unknown>>(schema: S): S {
  return withTraits(schema, { sensitive: 1 });
}

export interface OperationSchema<Input, Output> {
  readonly name: string;
  readonly method: string;
  readonly uri: string;
  readonly status: number;
  readonly input: StructureSchema<Input> | undefined;
  readonly output: StructureSchema<Output> | undefined;
}

/** One operation; `status` is what it answers when it succeeds, 200 unless given. */
export function operation<Input = unknown, Output = unknown>(
  name: string,
  method: string,
  uri: string,
  shapes: { readonly input?: StructureSchema<Input>; readonly output?: StructureSchema<Output>; readonly status?: number } = {},
): OperationSchema<Input, Output> {
  return { name, method, uri, status: shapes.status ?? 200, input: shapes.input, output: shapes.output };
}

/** An error that clients can tell by name; `fields` beside its message. */
export interface ErrorSchema {
  readonly name: string;
  readonly status: number;
  readonly fields: Fields;
}

/** One error of a service. */
export function errorShape(name: string, status: number, fields: Fields = {}): ErrorSchema {
  return { name, status, fields };
}

/** The data of a service, for `defineService`. */
export function serviceData(
  service: ServiceMetadata,
  operations: readonly OperationSchema<unknown, unknown>[],
  errors: readonly ErrorSchema[] = [],
): ServiceData {
  const shapes: Record<string, ShapeData> = {};
  const rules: Record<string, RuleData> = {};
  const memberRules: Record<string, Readonly<Record<string, string>>> = {};
  const emitter: Emitter = {
    shape(name, data) {
      if (shapes[name] === undefined) {
        shapes[name] = [0, 0, 0]; // holds the name, for a structure that leads back to itself
        shapes[name] = data();
      }
      return name;
    },
    rule(name, data) {
      rules[name] = data;
      return name;
    },
    memberRules(name, members) {
      memberRules[name] = members;
    },
  };
  for (const { name, method, uri, status, input, output } of operations) {
    invariant(shapes[name] === undefined, `the name ${name} stands for one thing`);
    const target = (schema: StructureSchema<unknown> | undefined): TargetData => schema?.target(schema.name, emitter) ?? "unit";
    const data: OperationData = [9, { http: [method, uri, status] }, target(input), target(output)];
    shapes[name] = data;
  }
  for (const { name, status, fields } of errors) {
    const traits = { error: status < 500 ? "client" : "server", httpError: status };
    emitStructure(-3, name, traits, { message: optional(string()), ...fields }, emitter);
  }
  return { service, shapes, rules, memberRules };
}
