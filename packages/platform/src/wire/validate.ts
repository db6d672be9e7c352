/**
 * Checks a decoded input against its schema's rules, whatever protocol it came by. All broken rules are told at once,
 * in the form in which AWS's services tell them, because clients and people look for it.
 */
import { LambentError } from "../base/index.ts";
import { PATTERN_INPUT_CHARS_MAX, VALUE_ECHO_CHARS_MAX, VIOLATIONS_MAX } from "./bounds.ts";
import type { Member, Rule, StructureShape } from "./schema.ts";

const MISSING = "Member must not be null";
type Values = Readonly<Record<string, unknown>>;

/** @throws LambentError InvalidParameter, naming each member, its value and the rule it breaks */
export function validate(shape: StructureShape, input: Values): void {
  const broken = brokenRules(shape.members, input, shape.union);
  if (broken) throw new LambentError("InvalidParameter", broken.message, broken.onlyMissing ? { missing: true } : {});
}

export interface BrokenRules {
  /** Names each member, its value and the rule it breaks. */
  readonly message: string;
  /** Some services have an error of their own for a request without a required member. */
  readonly onlyMissing: boolean;
  /** The first of `members` in which a rule is broken. */
  readonly member: Member | undefined;
}

/** What `input` breaks of the rules of `members`; undefined where it breaks none. */
export function brokenRules(members: readonly Member[], input: Values, isUnion = false): BrokenRules | undefined {
  const check = new Check();
  check.members(members, input, isUnion);
  const violations = check.violations;
  if (violations.length === 0) return undefined;
  const counted = violations.length === 1 ? "1 validation error" : `${violations.length} validation errors`;
  return { message: `${counted} detected: ${violations.join("; ")}`, onlyMissing: check.onlyMissing, member: check.first };
}

class Check {
  readonly violations: string[] = [];
  onlyMissing = true;
  first: Member | undefined;
  readonly #path: string[] = [];

  members(members: readonly Member[], values: Values, isUnion: boolean): void {
    let present = 0;
    for (const member of members) {
      const before = this.violations.length;
      const value = values[member.name];
      if (value !== undefined) {
        present += 1;
        this.#path.push(member.name);
        this.#value(member, value, member.rule);
        this.#path.pop();
      } else if (member.required) {
        this.#path.push(member.name);
        this.#add("Value null", MISSING);
        this.#path.pop();
      }
      if (this.#path.length === 0 && this.violations.length > before) this.first ??= member;
    }
    if (isUnion && present !== 1)
      this.#add(`Value with ${present} members`, `Member must have exactly one of: [${members.map(({ name }) => name).join(", ")}]`);
  }

  #value(member: Member, value: unknown, rule: Rule | undefined): void {
    if (rule) this.#rule(rule, value, member.sensitive);
    const shape = member.shape;
    if (shape.kind === "structure" && !shape.eventStream) this.members(shape.members, value as Values, shape.union);
    else if (shape.kind === "list") this.#list(shape.value, value as readonly unknown[], rule?.each, member.sensitive);
    else if (shape.kind === "map") this.#map(shape.value, value as Values, rule, member.sensitive);
  }

  #list(entry: Member, values: readonly unknown[], rule: Rule | undefined, sensitive: boolean): void {
    if (!rule && isPlain(entry)) return;
    for (const [index, value] of values.entries()) {
      if (this.violations.length >= VIOLATIONS_MAX) return;
      this.#path.push(`${index + 1}.member`);
      this.#value(sensitive && !entry.sensitive ? { ...entry, sensitive } : entry, value, rule);
      this.#path.pop();
    }
  }

  #map(entry: Member, values: Values, rule: Rule | undefined, sensitive: boolean): void {
    if (!rule?.key && !rule?.value && isPlain(entry)) return;
    for (const key of Object.keys(values)) {
      if (this.violations.length >= VIOLATIONS_MAX) return;
      this.#path.push(`${sensitive ? "*" : excerpt(key)}.member`);
      if (rule?.key) this.#rule(rule.key, key, sensitive);
      this.#value(sensitive && !entry.sensitive ? { ...entry, sensitive } : entry, values[key], rule?.value);
      this.#path.pop();
    }
  }

  #rule(rule: Rule, value: unknown, sensitive: boolean): void {
    const broken =
      typeof value === "number"
        ? brokenByNumber(rule, value)
        : typeof value === "string"
          ? brokenByText(rule, value)
          : brokenBySize(rule, sizeOf(value));
    if (broken !== undefined) this.#add(sensitive ? "Value" : `Value ${quote(value)}`, broken);
  }

  #add(what: string, rule: string): void {
    if (rule !== MISSING) this.onlyMissing = false;
    if (this.violations.length < VIOLATIONS_MAX)
      this.violations.push(`${what} at '${this.#path.map(spoken).join(".")}' failed to satisfy constraint: ${rule}`);
  }
}

/** Nothing inside a value of this kind has rules of its own. */
const isPlain = ({ shape }: Member): boolean => shape.kind !== "structure" && shape.kind !== "list" && shape.kind !== "map";

function brokenByNumber(rule: Rule, value: number): string | undefined {
  if (rule.integer && !Number.isInteger(value)) return "Member must be a whole number";
  // Written so that NaN, which is neither less nor more, breaks both.
  if (rule.min !== undefined && !(value >= rule.min)) return `Member must have value greater than or equal to ${rule.min}`;
  if (rule.max !== undefined && !(value <= rule.max)) return `Member must have value less than or equal to ${rule.max}`;
  return undefined;
}

function brokenByText(rule: Rule, value: string): string | undefined {
  const tooLongOrShort = brokenBySize(rule, rule.min === undefined && rule.max === undefined ? 0 : characters(value, rule.max));
  if (tooLongOrShort !== undefined) return tooLongOrShort;
  if (rule.enum && !rule.enum.has(value)) return `Member must satisfy enum value set: [${[...rule.enum].join(", ")}]`;
  if (!rule.pattern) return undefined;
  if (rule.max === undefined && value.length > PATTERN_INPUT_CHARS_MAX)
    return `Member must have length less than or equal to ${PATTERN_INPUT_CHARS_MAX}`;
  return rule.pattern.whole.test(value) ? undefined : `Member must satisfy regular expression pattern: ${rule.pattern.source}`;
}

function brokenBySize(rule: Rule, size: number): string | undefined {
  if (rule.min !== undefined && size < rule.min) return `Member must have length greater than or equal to ${rule.min}`;
  if (rule.max !== undefined && size > rule.max) return `Member must have length less than or equal to ${rule.max}`;
  return undefined;
}

/** Lengths count characters, not UTF-16 units; they can differ only where a value seems too long. */
function characters(value: string, max: number | undefined): number {
  if (max === undefined || value.length <= max || value.length > 2 * max) return value.length;
  let count = 0;
  for (const _character of value) count += 1;
  return count;
}

function sizeOf(value: unknown): number {
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length;
  return typeof value === "object" && value !== null ? Object.keys(value).length : 0;
}

function quote(value: unknown): string {
  if (typeof value === "string") return `'${excerpt(value)}'`;
  if (typeof value === "number") return `'${value}'`;
  return `with ${sizeOf(value)} ${value instanceof Uint8Array ? "bytes" : "entries"}`;
}

const excerpt = (text: string): string => (text.length <= VALUE_ECHO_CHARS_MAX ? text : `${text.slice(0, VALUE_ECHO_CHARS_MAX)}…`);
/** Members are told in lower case, as AWS's services do; entries of lists and maps, which end in ".member", as they are. */
const spoken = (step: string): string => (step.endsWith(".member") ? step : step.charAt(0).toLowerCase() + step.slice(1));
