/** Which detector, said in plain JSON: `{ "kind": "seasonal", "periodMs": 86400000 }`. What is left out has its default. */
import { type Parameter, PARAMETERS } from "./defaults.ts";

export type DetectorKind = keyof typeof PARAMETERS;
type Given<Kind extends DetectorKind> = { readonly [Name in keyof (typeof PARAMETERS)[Kind]]: number };
type SpecOf<Kind extends DetectorKind> = { readonly kind: Kind } & Given<Kind>;

/** A detector with all of its parameters. */
export type DetectorSpec = { [Kind in DetectorKind]: SpecOf<Kind> }[DetectorKind];
export type RobustZSpec = SpecOf<"robustZ">;
export type EwmaSpec = SpecOf<"ewma">;
export type SeasonalSpec = SpecOf<"seasonal">;
export type RrcfSpec = SpecOf<"rrcf">;

export type CheckedDetectorSpec =
  | { readonly kind: "valid"; readonly spec: DetectorSpec }
  | { readonly kind: "invalid"; readonly why: string };

/** The kinds in the order of their numbers in snapshots: new ones come last. */
export const KINDS = Object.keys(PARAMETERS) as readonly DetectorKind[];

/** Reads what somebody wrote, with the defaults put in; says in a sentence what is wrong with it. */
export function checkDetectorSpec(given: unknown): CheckedDetectorSpec {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return invalid("A detector is an object with a kind.");
  const { kind, ...rest } = given as Record<string, unknown>;
  if (!isKind(kind)) return invalid(`kind is ${shown(kind)}; it has to be one of ${KINDS.join(", ")}.`);
  const parameters: Readonly<Record<string, Parameter>> = PARAMETERS[kind];
  const unknown = Object.keys(rest).find((name) => !Object.hasOwn(parameters, name));
  if (unknown !== undefined) return invalid(`${unknown} is unknown; ${kind} has ${Object.keys(parameters).join(", ")}.`);
  const values: Record<string, number> = {};
  for (const [name, parameter] of Object.entries(parameters)) {
    const value = rest[name] ?? parameter.otherwise;
    if (!isWithin(value, parameter)) return invalid(faultOf(name, value, parameter));
    values[name] = value;
  }
  const spec = { kind, ...values } as DetectorSpec;
  const conflict = conflictOf(spec);
  return conflict === undefined ? { kind: "valid", spec } : invalid(conflict);
}

/** The parameters in the order of the table. */
export function parametersOf(spec: DetectorSpec): readonly number[] {
  const values = spec as unknown as Readonly<Record<string, number>>;
  return Object.keys(PARAMETERS[spec.kind]).map((name) => values[name] ?? Number.NaN);
}

function conflictOf(spec: DetectorSpec): string | undefined {
  switch (spec.kind) {
    case "seasonal":
      if (spec.cyclesMin > spec.cycles) return `cyclesMin is ${spec.cyclesMin}, more than the ${spec.cycles} cycles that are remembered.`;
      return spec.phases > spec.periodMs
        ? `phases is ${spec.phases}; a period of ${spec.periodMs} ms has no more than that many.`
        : undefined;
    case "rrcf":
      return conflictOfForest(spec);
    case "robustZ":
    case "ewma":
      return undefined;
  }
}

function conflictOfForest({ trees, points, shingle, warmUp }: RrcfSpec): string | undefined {
  if (warmUp < shingle + SCORES_MIN)
    return `warmUp is ${warmUp}; with a shingle of ${shingle} it has to be at least ${shingle + SCORES_MIN}.`;
  const coordinates = trees * points * shingle;
  if (coordinates <= FOREST_COORDINATES_MAX) return undefined;
  return `trees × points × shingle is ${coordinates}; a forest has at most ${FOREST_COORDINATES_MAX}, about 25 MB.`;
}

/** What one forest may hold (P7): ten times the default. */
const FOREST_COORDINATES_MAX = 1_048_576;
/** Displacements without which nothing can be said about another. */
const SCORES_MIN = 8;

function isKind(kind: unknown): kind is DetectorKind {
  return typeof kind === "string" && Object.hasOwn(PARAMETERS, kind);
}

function isWithin(value: unknown, { min, max, whole }: Parameter): value is number {
  return typeof value === "number" && value >= min && value <= max && (!whole || Number.isInteger(value));
}

function faultOf(name: string, value: unknown, { min, max, whole, meaning }: Parameter): string {
  return `${name} is ${shown(value)}; it has to be a ${whole ? "whole " : ""}number from ${min} to ${max}: ${meaning}.`;
}

/** Characters of a wrong value that are repeated to its author. */
const SHOWN_CHARS_MAX = 40;

function shown(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "number") return String(value);
  const text = typeof value === "string" ? JSON.stringify(value) : value === null ? "null" : `a ${typeof value}`;
  return text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text;
}

function invalid(why: string): CheckedDetectorSpec {
  return { kind: "invalid", why };
}
