import type { Instant } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import type { MappingState } from "./mapping-state.ts";

/** That a function is called with what comes to a source: AWS calls it an event source mapping. */
export interface Mapping {
  readonly uuid: string;
  readonly functionName: string;
  /** Version or alias; undefined: `$LATEST`. */
  readonly qualifier: string | undefined;
  readonly source: MappingSource;
  readonly settings: MappingSettings;
  readonly state: MappingState;
  readonly tags: Readonly<Record<string, string>>;
  readonly modifiedAt: Instant;
}

/** A queue of the mapping's own realm. */
export interface MappingSource {
  readonly kind: "queue";
  readonly name: string;
  readonly ordering: "standard" | "fifo";
}

export interface MappingSettings {
  readonly batchSize: number;
  readonly windowMs: number;
  /** Patterns, JSON texts; none: every message. */
  readonly filters: readonly string[];
  /** Undefined: as many as the source's scaling gives. */
  readonly concurrencyMax: number | undefined;
  /** `reported`: the function names the messages that it did not handle. */
  readonly answers: "whole" | "reported";
}

/** `arn:aws:lambda:<region>:<account>:event-source-mapping:<uuid>`. */
export function mappingArn({ region, account }: Realm, uuid: string): string {
  return `arn:aws:lambda:${region}:${account}:event-source-mapping:${uuid}`;
}

const MAPPING_ARN = /^arn:aws[a-zA-Z-]*:lambda:([a-z0-9-]+):(\d{12}):event-source-mapping:([0-9a-f-]{36})$/;

/** The mapping an ARN names; undefined when it is no ARN of one. */
export function parseMappingArn(arn: string): { readonly realm: Realm; readonly uuid: string } | undefined {
  const [, region, account, uuid] = MAPPING_ARN.exec(arn) ?? [];
  return region === undefined || account === undefined || uuid === undefined ? undefined : { realm: { account, region }, uuid };
}
