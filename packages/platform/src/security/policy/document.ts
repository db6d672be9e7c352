import { LambentError } from "../../base/index.ts";
import { type Condition, isConditionOperator } from "./conditions.ts";

/**
 * Policy documents: text in, checked and normalised statements out. What is not understood is refused (`MalformedPolicy`),
 * never skipped: a skipped condition would allow more than was written.
 */

/** Longest policy text of any kind; each kind's own limit stands where it is stored. */
const POLICY_BYTES_MAX = 20_480;
/** Statements of one policy (P7). */
const STATEMENTS_MAX = 200;
/** Values of one element of a statement (P7). */
const VALUES_MAX = 1_000;
/** Characters of one value (P7). */
const VALUE_CHARACTERS_MAX = 2_048;

/** Identity policies name no principal, trust policies no resource, resource policies both. */
export type PolicyKind = "identity" | "resource" | "trust";

export interface PolicyDocument {
  /** Policy variables are replaced from 2012-10-17 on. */
  readonly variables: boolean;
  readonly statements: readonly PolicyStatement[];
}

export interface PolicyStatement {
  /** The statement's `Sid`, else `#<position from 1>`: what decisions name. */
  readonly id: string;
  readonly effect: "Allow" | "Deny";
  readonly principal: Match<PrincipalPattern> | undefined;
  readonly action: Match<string>;
  /** Undefined in trust policies: the role itself. */
  readonly resource: Match<string> | undefined;
  readonly conditions: readonly Condition[];
}

/** `NotAction`, `NotResource` and `NotPrincipal` are the same lists with `negated`. */
export interface Match<T> {
  readonly negated: boolean;
  readonly values: readonly T[];
}

export interface PrincipalPattern {
  readonly type: "*" | "AWS" | "Service" | "Federated" | "CanonicalUser";
  readonly value: string;
}

/** Parses the text of a policy of `kind`. Throws `MalformedPolicy` naming element and rule. */
export function parsePolicy(text: string, kind: PolicyKind): PolicyDocument {
  const bytes = Buffer.byteLength(text, "utf8");
  if (bytes > POLICY_BYTES_MAX) malformed(`The policy has ${bytes} bytes; at most ${POLICY_BYTES_MAX} are allowed.`);
  const document = record(parseJson(text), "The policy");
  onlyMembers(document, ["Version", "Id", "Statement"], "The policy");
  const version = document.get("Version") ?? "2008-10-17";
  if (version !== "2012-10-17" && version !== "2008-10-17") malformed(`Version is ${show(version)}; it is "2012-10-17" or "2008-10-17".`);
  const statement = document.get("Statement");
  if (statement === undefined) malformed("The policy has no Statement.");
  const list = Array.isArray(statement) ? statement : [statement];
  if (list.length > STATEMENTS_MAX) malformed(`The policy has ${list.length} statements; at most ${STATEMENTS_MAX} are allowed.`);
  const statements = list.map((entry: unknown, index) => parseStatement(entry, index, kind));
  refuseRepeatedIds(statements);
  return { variables: version === "2012-10-17", statements };
}

const STATEMENT_MEMBERS = ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];

function parseStatement(value: unknown, index: number, kind: PolicyKind): PolicyStatement {
  const where = `Statement ${index + 1}`;
  const members = record(value, where);
  onlyMembers(members, STATEMENT_MEMBERS, where);
  const sid = members.get("Sid");
  if (sid !== undefined && (typeof sid !== "string" || sid.length > 200))
    malformed(`${where}: Sid is ${show(sid)}; it is a string of at most 200 characters.`);
  const effect = members.get("Effect");
  if (effect !== "Allow" && effect !== "Deny") malformed(`${where}: Effect is ${show(effect)}; it is "Allow" or "Deny".`);
  const action = parseMatch(members, "Action", where, parseAction);
  if (action === undefined) malformed(`${where}: there is no Action and no NotAction.`);
  const principal = parseMatch(members, "Principal", where, parsePrincipals);
  const resource = parseMatch(members, "Resource", where, (entry, name) => strings(entry, name));
  if ((principal === undefined) !== (kind === "identity")) {
    malformed(kind === "identity" ? `${where}: an identity policy names no Principal.` : `${where}: there is no Principal.`);
  }
  if (kind === "trust" && resource !== undefined) malformed(`${where}: a trust policy names no Resource.`);
  if (kind !== "trust" && resource === undefined) malformed(`${where}: there is no Resource and no NotResource.`);
  const conditions = members.has("Condition") ? parseConditions(members.get("Condition"), where) : [];
  return { id: typeof sid === "string" && sid !== "" ? sid : `#${index + 1}`, effect, principal, action, resource, conditions };
}

function parseMatch<T>(
  members: ReadonlyMap<string, unknown>,
  name: string,
  where: string,
  parse: (value: unknown, where: string) => T[],
): Match<T> | undefined {
  const plain = members.get(name);
  const negated = members.get(`Not${name}`);
  if (plain !== undefined && negated !== undefined) malformed(`${where}: ${name} and Not${name} exclude each other.`);
  if (plain !== undefined) return { negated: false, values: parse(plain, `${where}: ${name}`) };
  if (negated !== undefined) return { negated: true, values: parse(negated, `${where}: Not${name}`) };
  return undefined;
}

function parseAction(value: unknown, where: string): string[] {
  return strings(value, where).map((action) => {
    if (action !== "*" && !/^[A-Za-z0-9-]+:[A-Za-z0-9*?]+$/.test(action))
      malformed(`${where}: ${show(action)} is not <service>:<action> or *.`);
    return action;
  });
}

const PRINCIPAL_TYPES = ["AWS", "Service", "Federated", "CanonicalUser"] as const;

function parsePrincipals(value: unknown, where: string): PrincipalPattern[] {
  if (value === "*") return [{ type: "*", value: "*" }];
  const patterns: PrincipalPattern[] = [];
  const members = record(value, where);
  onlyMembers(members, PRINCIPAL_TYPES, where);
  for (const type of PRINCIPAL_TYPES) {
    if (!members.has(type)) continue;
    for (const entry of strings(members.get(type), `${where}.${type}`)) {
      if (type === "AWS" && entry !== "*" && !/^(\d{12}|arn:aws[a-z-]*:(iam|sts)::\d{12}:[^*?]+)$/.test(entry)) {
        malformed(`${where}.AWS: ${show(entry)} is not *, an account number, or the full ARN of an account, role, user or session.`);
      }
      patterns.push(type === "AWS" && entry === "*" ? { type: "*", value: "*" } : { type, value: entry });
    }
  }
  if (patterns.length === 0) malformed(`${where} names nobody.`);
  return patterns;
}

function parseConditions(value: unknown, where: string): Condition[] {
  const conditions: Condition[] = [];
  for (const [name, keys] of record(value, `${where}: Condition`)) {
    const parts = /^(?:(ForAllValues|ForAnyValue):)?([A-Za-z]+?)(IfExists)?$/.exec(name);
    const operator = parts?.[2];
    if (!parts || operator === undefined || !isConditionOperator(operator))
      malformed(`${where}: ${show(name)} is not a condition operator.`);
    if (operator === "Null" && parts[3] !== undefined) malformed(`${where}: Null has no IfExists form.`);
    for (const [key, entry] of record(keys, `${where}: ${name}`)) {
      if (!/^[\w-]+:[\w+=,.@:/-]{1,256}$/.test(key)) malformed(`${where}: ${show(key)} is not a condition key.`);
      conditions.push({
        quantifier: parts[1] as Condition["quantifier"],
        operator,
        ifExists: parts[3] !== undefined,
        key: key.toLowerCase(),
        values: scalars(entry, `${where}: ${name}.${key}`),
      });
    }
  }
  if (conditions.length > VALUES_MAX) malformed(`${where}: more than ${VALUES_MAX} conditions.`);
  return conditions;
}

function strings(value: unknown, where: string): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) malformed(`${where} is an empty list.`);
  if (list.length > VALUES_MAX) malformed(`${where} has ${list.length} values; at most ${VALUES_MAX} are allowed.`);
  return list.map((entry) => {
    if (typeof entry !== "string" || entry === "") return malformed(`${where}: ${show(entry)} is not a string with content.`);
    if (entry.length > VALUE_CHARACTERS_MAX)
      malformed(`${where}: a value has ${entry.length} characters; at most ${VALUE_CHARACTERS_MAX} are allowed.`);
    return entry;
  });
}

/** Condition values may also be numbers and booleans, and empty. */
function scalars(value: unknown, where: string): string[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > VALUES_MAX) malformed(`${where} has ${list.length} values; at most ${VALUES_MAX} are allowed.`);
  return list.map((entry) => {
    if (typeof entry !== "string" && typeof entry !== "number" && typeof entry !== "boolean")
      malformed(`${where}: ${show(entry)} is not a string, number or boolean.`);
    const text = String(entry);
    if (text.length > VALUE_CHARACTERS_MAX)
      malformed(`${where}: a value has ${text.length} characters; at most ${VALUE_CHARACTERS_MAX} are allowed.`);
    return text;
  });
}

function refuseRepeatedIds(statements: readonly PolicyStatement[]): void {
  const seen = new Set<string>();
  for (const { id } of statements) {
    if (seen.has(id)) malformed(`The Sid ${show(id)} occurs twice; it is unique within a policy.`);
    seen.add(id);
  }
}

/** A map, because names like `__proto__` come from outside. */
function record(value: unknown, where: string): Map<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return malformed(`${where} is ${show(value)}; it is a JSON object.`);
  return new Map(Object.entries(value));
}

function onlyMembers(members: ReadonlyMap<string, unknown>, known: readonly string[], where: string): void {
  for (const name of members.keys())
    if (!known.includes(name)) malformed(`${where} has the member ${show(name)}; it may have ${known.join(", ")}.`);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return malformed("The policy is not JSON.");
  }
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "absent";
  return text.length > 100 ? `${text.slice(0, 100)}…` : text;
}

function malformed(message: string): never {
  throw new LambentError("MalformedPolicy", message);
}
