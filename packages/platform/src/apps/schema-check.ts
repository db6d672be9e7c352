/**
 * Checks a value against the part of JSON Schema that `lambent.schema.json` uses, with messages that name place,
 * value and rule. The same file serves editors, so what they underline is what a deployment refuses.
 */

export interface JsonSchema {
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>;
  readonly additionalProperties?: boolean | JsonSchema;
  readonly required?: readonly string[];
  readonly minProperties?: number;
  readonly items?: JsonSchema;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly oneOf?: readonly JsonSchema[];
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, JsonSchema>>;
}

/** Complaints shown at once; more than this is one mistake seen many times (P7). */
const COMPLAINTS_MAX = 8;

/** What is wrong with `value`, one line each; empty when nothing is. */
export function checkAgainst(root: JsonSchema, value: unknown): string[] {
  const complaints: string[] = [];
  check(root, root, value, "", complaints);
  return complaints.slice(0, COMPLAINTS_MAX);
}

function check(root: JsonSchema, schema: JsonSchema, value: unknown, path: string, complaints: string[]): void {
  if (complaints.length >= COMPLAINTS_MAX) return;
  const resolved = schema.$ref ? (root.$defs?.[schema.$ref.replace("#/$defs/", "")] ?? schema) : schema;
  if (resolved.oneOf) return checkChoices(root, resolved, value, path, complaints);
  if (resolved.type !== undefined && !hasType(resolved.type, value)) {
    complaints.push(`${place(path)} is ${show(value)}; it has to be ${[resolved.type].flat().map(article).join(" or ")}.`);
    return;
  }
  if (resolved.enum && !resolved.enum.includes(value)) {
    complaints.push(`${place(path)} is ${show(value)}; it has to be one of ${resolved.enum.map(show).join(", ")}.`);
  }
  if (typeof value === "number") checkNumber(resolved, value, path, complaints);
  if (typeof value === "string") checkString(resolved, value, path, complaints);
  if (Array.isArray(value)) value.forEach((item, at) => resolved.items && check(root, resolved.items, item, `${path}[${at}]`, complaints));
  else if (isObject(value)) checkObject(root, resolved, value, path, complaints);
}

/** Takes the choice that complains least when none fits: that is most likely the one meant. */
function checkChoices(root: JsonSchema, schema: JsonSchema, value: unknown, path: string, complaints: string[]): void {
  const tries = (schema.oneOf ?? []).map((choice) => {
    const found: string[] = [];
    check(root, choice, value, path, found);
    return { choice, found };
  });
  if (tries.some((each) => each.found.length === 0)) return;
  const sameType = tries.find(({ choice }) => choice.type !== undefined && hasType(choice.type, value));
  if (sameType) complaints.push(...sameType.found);
  else complaints.push(`${place(path)} is ${show(value)}; it has to be ${schema.description ?? "one of the documented forms"}.`);
}

function checkNumber(schema: JsonSchema, value: number, path: string, complaints: string[]): void {
  const low = schema.minimum ?? Number.NEGATIVE_INFINITY;
  const high = schema.maximum ?? Number.POSITIVE_INFINITY;
  if (value < low || value > high) complaints.push(`${place(path)} is ${value}; it has to be ${low} to ${high}.`);
}

function checkString(schema: JsonSchema, value: string, path: string, complaints: string[]): void {
  if (schema.maxLength !== undefined && value.length > schema.maxLength)
    complaints.push(`${place(path)} has ${value.length} characters; at most ${schema.maxLength} are allowed.`);
  if (schema.minLength !== undefined && value.length < schema.minLength) complaints.push(`${place(path)} is empty.`);
  if (schema.pattern !== undefined && !new RegExp(schema.pattern, "u").test(value)) {
    complaints.push(`${place(path)} is ${show(value)}; it has to be ${schema.description ?? `like ${schema.pattern}`}.`);
  }
}

function checkObject(
  root: JsonSchema,
  schema: JsonSchema,
  value: Readonly<Record<string, unknown>>,
  path: string,
  complaints: string[],
): void {
  for (const name of schema.required ?? []) if (!Object.hasOwn(value, name)) complaints.push(`${place(path)} lacks "${name}".`);
  if (Object.keys(value).length < (schema.minProperties ?? 0)) complaints.push(`${place(path)} has no entry.`);
  for (const [name, member] of Object.entries(value)) {
    const below = path === "" ? name : `${path}.${name}`;
    const own = schema.properties && Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
    const byPattern = Object.entries(schema.patternProperties ?? {}).find(([pattern]) => new RegExp(pattern, "u").test(name))?.[1];
    const rule = own ?? byPattern ?? schema.additionalProperties;
    if (rule === false) complaints.push(unknownMember(schema, path, name));
    else if (typeof rule === "object") check(root, rule, member, below, complaints);
  }
}

function unknownMember(schema: JsonSchema, path: string, name: string): string {
  const known = Object.keys(schema.properties ?? {});
  if (known.length === 0)
    return `${place(path)} has an entry ${show(name)} whose name is not allowed here: ${schema.description ?? "see the schema"}.`;
  return `${place(path)} has an unknown entry ${show(name)}; known are ${known.join(", ")}.`;
}

const place = (path: string): string => (path === "" ? "The document" : path);
const article = (type: string): string => (/^[aeiou]/u.test(type) ? `an ${type}` : `a ${type}`);
const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === "object" && value !== null;

function hasType(type: string | readonly string[], value: unknown): boolean {
  const types = [type].flat();
  return types.includes(typeOf(value)) || (types.includes("integer") && Number.isInteger(value));
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
