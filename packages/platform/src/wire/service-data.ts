/**
 * The form of a service's schema as data: what `scripts/extract-schemas.ts` writes and `define.ts` builds.
 *
 * Tuples follow those of the AWS SDK for JavaScript, with two changes: shapes refer to each other by name
 * ("#InvocationRequest"), so that an upgrade is a diff one can read, and rules are added, which the SDK lacks.
 */

/** Rules a value must keep, named like the shape they come from. */
export interface RuleData {
  readonly enum?: readonly string[];
  /** Least length (characters, bytes, entries) or least value of a number. */
  readonly min?: number;
  readonly max?: number;
  /** A regular expression the whole value must match. */
  readonly pattern?: string;
  /** The number has no fraction. */
  readonly integer?: true;
  /** Name of the rule for each entry of a list. */
  readonly each?: string;
  /** Names of the rules for a map's keys and values. */
  readonly key?: string;
  readonly value?: string;
}

/** Bits 0 upward: label, idempotent, idempotency token, sensitive, payload, status, query map; or named traits. */
export type TraitsData = number | Readonly<Record<string, unknown>>;

/** "#Name", the number of a simple kind, `64 | kind` for a plain list, `128 | kind` for a plain map, or "unit". */
export type TargetData = string | number;
/** A target, or a target with traits of the member's own. */
export type RefData = TargetData | readonly [TargetData, TraitsData];

export type StructureData = readonly [
  kind: 3 | 4 | -3,
  traits: TraitsData,
  names: readonly string[],
  refs: readonly RefData[],
  /** How many members, from the first, are required. */
  required?: number,
];
export type ListData = readonly [kind: 1, traits: TraitsData, value: RefData];
export type MapData = readonly [kind: 2, traits: TraitsData, key: RefData, value: RefData];
export type SimpleData = readonly [kind: 0, traits: TraitsData, base: number];
export type OperationData = readonly [kind: 9, traits: TraitsData, input: TargetData, output: TargetData];
export type ShapeData = StructureData | ListData | MapData | SimpleData | OperationData;

export type Protocol = "restJson1" | "awsJson1_0" | "awsJson1_1" | "awsQuery" | "rpcv2Cbor" | "restXml";

export interface ServiceMetadata {
  /** Lambent's name for the service, which is also AWS's command-line name: `lambda`, `logs`. */
  readonly name: string;
  /** The service in a credential scope. */
  readonly signingName: string;
  /** First label of the service's host names. */
  readonly endpointPrefix: string;
  readonly apiVersion: string;
  /** The protocol of a request that shows none by itself. */
  readonly protocol: Protocol;
  /** What stands before the dot in X-Amz-Target, and in the path of rpcv2Cbor. */
  readonly targetPrefix: string;
  /** Namespace of error types in JSON and CBOR bodies. */
  readonly namespace: string;
  readonly xmlNamespace?: string;
  /** Errors also carry the code that the service's older awsQuery form has for them. */
  readonly queryCompatible?: true;
  /** awsQuery: the member that the path stands for where the form does not have it. */
  readonly pathMember?: string;
  /** Content type of a raw payload without a modelled one. */
  readonly payloadContentType?: string;
}

export interface ServiceData {
  readonly service: ServiceMetadata;
  readonly shapes: Readonly<Record<string, ShapeData>>;
  readonly rules: Readonly<Record<string, RuleData>>;
  /** By structure, then by member: the name of the member's rule. */
  readonly memberRules: Readonly<Record<string, Readonly<Record<string, string>>>>;
}
