/** What leaves a cell for a target: what the holder of the cell hands over, before `delivery/` gives it the form the target takes. */
import type { Instant } from "../base/index.ts";
import type { Realm } from "../model/index.ts";

/** In whose name it is handed over, which the target's policy or the role has to allow. */
export type ParcelSender =
  | {
      readonly kind: "service";
      readonly realm: Realm;
      /** The service as a principal: `events.amazonaws.com`. */
      readonly service: string;
      /** ARN of the rule, schedule, topic: `aws:SourceArn` of the target's policy. */
      readonly sourceArn: string;
      /** The role that hands it over, instead of the service itself. */
      readonly roleArn?: string | undefined;
    }
  /** A function's role delivers what became of its invocations. */
  | {
      readonly kind: "function";
      readonly realm: Realm;
      /** With its qualifier. */
      readonly functionArn: string;
      readonly requestId: string;
    };

/** A message attribute as SQS and SNS have it. */
export interface ParcelAttribute {
  readonly type: string;
  readonly value: string | Buffer;
}

/** What only some kinds of targets look at. */
export interface ParcelOptions {
  /** FIFO queues and topics. */
  readonly messageGroupId?: string | undefined;
  readonly deduplicationId?: string | undefined;
  /** Message attributes of a queue's message. */
  readonly attributes?: Readonly<Record<string, ParcelAttribute>> | undefined;
  /** Endpoints: headers, and what goes into the URL's stars and query. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly pathValues?: readonly string[] | undefined;
  readonly query?: Readonly<Record<string, string>> | undefined;
  /**
   * Buses: the payload is the detail of a new event of this source and type, of when it is handed over unless `time` says when it happened.
   * Without it, the payload is a whole event that is passed on.
   */
  readonly event?:
    | { readonly source: string; readonly detailType: string; readonly resources?: readonly string[]; readonly time?: Instant | undefined }
    | undefined;
  /** Topics: the subject of the message. */
  readonly subject?: string | undefined;
  /** Buckets: the key of the object. */
  readonly objectKey?: string | undefined;
  /** Streams: what chooses the record's shard; without it, what names the handing does. */
  readonly partitionKey?: string | undefined;
}

export interface Parcel {
  /** ARN, or URL, of what it is for. */
  readonly target: string;
  readonly sender: ParcelSender;
  readonly payload: Buffer;
  readonly options: ParcelOptions;
  readonly traceHeader: string | undefined;
}

/** Why a target did not take a parcel. */
export interface Refusal {
  /** AWS's word where it has one: `NO_PERMISSIONS`, `RESOURCE_NOT_FOUND`, `THROTTLING`, `TIMEOUT`, `SDK_CLIENT_ERROR`, `HTTP_500`. */
  readonly code: string;
  readonly message: string;
  /** The earliest time for another attempt that the target asked for, from now. */
  readonly retryAfterMs?: number | undefined;
}

/** How handing a parcel over ended. */
export type HandOver =
  | Tried
  /** Not before this long from now: the target was not asked, so it is no attempt. */
  | {
      readonly kind: "wait";
      readonly ms: number;
      /** Why the target takes nothing: what of a delivery that will be too old by then. Without it, it waits whatever its age. */
      readonly why?: Refusal | undefined;
    };

/** How an attempt to hand a parcel over ended. */
export type Tried =
  /** The target has it durably. `recorded`: under the delivery's id the target keeps its record from here on. */
  | { readonly kind: "taken"; readonly recorded: boolean; readonly durationMs: number }
  /** Not now. */
  | { readonly kind: "later"; readonly refusal: Refusal; readonly durationMs: number }
  /** Never: there is no such target, or it refuses this for good. */
  | { readonly kind: "never"; readonly refusal: Refusal; readonly durationMs: number };
