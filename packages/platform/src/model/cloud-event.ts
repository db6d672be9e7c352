import type { Instant } from "../base/index.ts";

/** What an event says, byte for byte as it was sent; JSON and text are UTF-8. */
export type EventData =
  | { readonly kind: "none" }
  | { readonly kind: "json"; readonly bytes: Buffer }
  | { readonly kind: "text"; readonly bytes: Buffer }
  | { readonly kind: "binary"; readonly bytes: Buffer };

/** An event with the attributes of CloudEvents 1.0. */
export interface CloudEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject?: string | undefined;
  readonly time?: Instant | undefined;
  /** The time as it was written, which may say more than the instant: an offset, nanoseconds. */
  readonly timeText?: string | undefined;
  readonly dataContentType?: string | undefined;
  readonly dataSchema?: string | undefined;
  readonly data: EventData;
  /** Extension attributes; names are lower-case letters and digits. */
  readonly extensions: Readonly<Record<string, string | number | boolean>>;
}
