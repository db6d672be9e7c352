/** What a window is told, in the order in which it is: everything its state follows from, also what a clock decided (P10). */
import type { ExtractFault } from "../input/extract.ts";

/** Columns of records of one partition. */
export interface Inputs {
  readonly keys: string[];
  readonly times: number[];
  readonly values: unknown[];
  /** The values as JSON; undefined for numbers. */
  readonly texts: (string | undefined)[];
  /** How many in a row have which time of arrival. */
  readonly arrivals: (readonly [count: number, arrivedAt: number])[];
}

/** A record that the window was not told. */
export interface Refused {
  readonly reason: ExtractFault;
  readonly source: number;
  readonly offset: number;
  readonly time: number;
  /** As it came, base64; undefined where nobody gets it, or it is too large to be handed on. */
  readonly key: string | undefined;
  readonly value: string | undefined;
}

/** The shards of a stream that results go to, as they were: which of them gets a result is decided with the result. */
export interface Route {
  readonly streamId: string;
  readonly by: "murmur2" | "md5";
  readonly shards: readonly { readonly number: number; readonly hashFrom: string; readonly hashTo: string }[];
}

export type Step =
  /** Records of a partition, up to `next`. */
  | {
      readonly kind: "records";
      readonly source: number;
      readonly next: number;
      readonly inputs: Inputs;
      readonly refused: readonly Refused[];
    }
  /** There is this partition, read from `next` on. */
  | { readonly kind: "opened"; readonly source: number; readonly next: number; readonly streamId: string }
  /** It takes no records any more, and all are read. */
  | { readonly kind: "ended"; readonly source: number }
  /** No record came for as long as the definition allows. */
  | { readonly kind: "idle"; readonly source: number }
  /** The stream dropped records before they were read. */
  | { readonly kind: "skipped"; readonly source: number; readonly next: number }
  /** Results to a stream go by this from now on. */
  | { readonly kind: "routed"; readonly stream: string; readonly route: Route };

/** No records yet. */
export function noInputs(): Inputs {
  return { keys: [], times: [], values: [], texts: [], arrivals: [] };
}
