import { LambentError, type Instant } from "../base/index.ts";
import type { Cipher, CodeReference, FunctionVersion, Realm } from "../model/index.ts";
import { realmKey } from "../model/index.ts";
import type { Op } from "../storage/index.ts";
import type { Numbered, NumberingRecord } from "./numbering.ts";

/** Whether a version's code lies ready to run. */
export type VersionState =
  | { readonly kind: "pending" }
  | { readonly kind: "active" }
  | { readonly kind: "failed"; readonly reason: string };

export interface VersionRecord {
  readonly version: FunctionVersion;
  readonly state: VersionState;
}

/** The last change of `$LATEST`. While one is being made ready, calls go to the version before it. */
export type UpdateState =
  | { readonly kind: "successful" }
  | { readonly kind: "inProgress"; readonly next: FunctionVersion }
  | { readonly kind: "failed"; readonly reason: string };

export type RecursionMode = "Allow" | "Terminate";

export interface FunctionRecord {
  /** Never used again: what belongs to a deleted function is not taken for a new one's of the same name. */
  readonly id: string;
  readonly createdAt: Instant;
  readonly latest: VersionRecord;
  readonly update: UpdateState;
  readonly tags: Readonly<Record<string, string>>;
  readonly reservedConcurrency: number | undefined;
  readonly recursion: RecursionMode;
}

export interface AliasRecord {
  readonly description: string;
  /** A version number or `$LATEST`. */
  readonly version: string;
  /** The share of a second version; the first has the rest. */
  readonly additional: { readonly version: string; readonly weight: number } | undefined;
  readonly revisionId: string;
}

/** One statement of a resource policy, as policy documents spell it. */
export interface ResourceStatement {
  readonly Sid: string;
  readonly Effect: "Allow";
  readonly Principal: string | Readonly<Record<string, string>>;
  readonly Action: string;
  readonly Resource: string;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export interface ResourcePolicy {
  readonly statements: readonly ResourceStatement[];
  readonly revisionId: string;
}

export interface CorsSettings {
  readonly allowCredentials: boolean | undefined;
  readonly allowHeaders: readonly string[] | undefined;
  readonly allowMethods: readonly string[] | undefined;
  readonly allowOrigins: readonly string[] | undefined;
  readonly exposeHeaders: readonly string[] | undefined;
  readonly maxAgeSeconds: number | undefined;
}

export interface UrlRecord {
  /** Names the URL's host; unique over all realms. */
  readonly urlId: string;
  readonly authType: "NONE" | "AWS_IAM";
  readonly cors: CorsSettings | undefined;
  readonly invokeMode: "BUFFERED" | "RESPONSE_STREAM";
  readonly createdAt: Instant;
  readonly modifiedAt: Instant;
}

export interface EventInvokeRecord {
  readonly maximumRetryAttempts: number | undefined;
  readonly maximumEventAgeSeconds: number | undefined;
  readonly onSuccess: string | undefined;
  readonly onFailure: string | undefined;
  readonly modifiedAt: Instant;
}

export interface ProvisionedRecord {
  readonly instances: number;
  readonly modifiedAt: Instant;
}

/** What belongs to one function under a qualifier, by kind. `$LATEST` stands for the function itself. */
export interface FunctionParts {
  readonly version: VersionRecord;
  readonly alias: AliasRecord;
  readonly policy: ResourcePolicy;
  readonly url: UrlRecord;
  readonly eventInvoke: EventInvokeRecord;
  readonly provisioned: ProvisionedRecord;
}
export type PartKind = keyof FunctionParts;
export const PART_KINDS: readonly PartKind[] = ["version", "alias", "policy", "url", "eventInvoke", "provisioned"];

export interface LayerVersionRecord {
  readonly name: string;
  readonly version: number;
  readonly description: string;
  readonly licenseInfo: string | undefined;
  readonly compatibleRuntimes: readonly string[];
  readonly compatibleArchitectures: readonly string[];
  readonly createdAt: Instant;
  readonly code: CodeReference;
  readonly policy: ResourcePolicy | undefined;
}

export type PartWrite = {
  [K in PartKind]: {
    readonly kind: K;
    readonly functionId: string;
    readonly qualifier: string;
    readonly value: FunctionParts[K] | undefined;
  };
}[PartKind];

/** One row of a realm's cell as it shall be; without a value it goes. */
export type Write =
  | PartWrite
  | { readonly kind: "function"; readonly name: string; readonly value: FunctionRecord | undefined }
  | { readonly kind: "layerVersion"; readonly name: string; readonly version: number; readonly value: LayerVersionRecord | undefined }
  | { readonly kind: "numbering"; readonly of: Numbered; readonly name: string; readonly value: NumberingRecord | undefined };

/** The row's key. Names hold neither `/` nor anything else that needs quoting. */
export function writeKey(write: Write): string {
  switch (write.kind) {
    case "function":
      return `function/${write.name}`;
    case "layerVersion":
      return `layer/${write.name}/${write.version}`;
    case "numbering":
      return `numbering/${write.of}/${write.name}`;
    default:
      return `of/${write.functionId}/${write.kind}/${write.qualifier}`;
  }
}

/** The writes as ops of `cell`; environments are sealed. */
export function encodeWrites(cell: string, realm: Realm, writes: readonly Write[], cipher: Cipher): Op[] {
  return writes.map((write) => {
    const key = writeKey(write);
    if (write.value === undefined) return { kind: "delete", cell, key };
    return { kind: "put", cell, key, value: Buffer.from(JSON.stringify(write.value, (name, value) => sealed(realm, name, value, cipher))) };
  });
}

/** The write that made a row. Throws `StorageCorrupt` when the environment does not open, as with another root key. */
export function decodeRow(realm: Realm, key: string, bytes: Uint8Array, cipher: Cipher): Write {
  const parts = key.split("/");
  const value: unknown = JSON.parse(Buffer.from(bytes).toString("utf8"), (name, inner) => opened(realm, name, inner, cipher));
  // Written as a bare number before names could be forgotten: those are the first to go.
  if (parts[0] === "numbering" && typeof value === "number") return { ...placeOf(key, parts), value: { highest: value, at: 0 } } as Write;
  return { ...placeOf(key, parts), value } as Write;
}

function placeOf(key: string, [group = "", first = "", second = "", third = ""]: readonly string[]): object {
  switch (group) {
    case "function":
      return { kind: "function", name: first };
    case "layer":
      return { kind: "layerVersion", name: first, version: Number(second) };
    case "numbering":
      return { kind: "numbering", of: first, name: second };
    case "of":
      return { kind: second, functionId: first, qualifier: third };
    default:
      throw new LambentError("StorageCorrupt", `The registry has a row of unknown kind: ${key}.`);
  }
}

/** Only settings have an `environment`; tags of that name hold plain text and are left alone. */
const ENVIRONMENT = "environment";

function sealed(realm: Realm, name: string, value: unknown, cipher: Cipher): unknown {
  if (name !== ENVIRONMENT || typeof value !== "object" || value === null) return value;
  return { sealed: cipher.seal(Buffer.from(JSON.stringify(value)), cipherContext(realm)).toString("base64") };
}

function opened(realm: Realm, name: string, value: unknown, cipher: Cipher): unknown {
  if (name !== ENVIRONMENT || typeof value !== "object" || value === null || !("sealed" in value)) return value;
  try {
    return JSON.parse(cipher.open(Buffer.from(String(value.sealed), "base64"), cipherContext(realm)).toString("utf8"));
  } catch (error) {
    throw new LambentError("StorageCorrupt", `A function's environment does not open with this data folder's key: ${String(error)}`);
  }
}

function cipherContext(realm: Realm): string {
  return `${realmKey(realm)}/functions/environment`;
}
