import type { JsonValue } from "./definition.ts";

/** `[start, end)` in event time. */
export interface WindowBounds {
  readonly start: number;
  readonly end: number;
}

/** What a window tells of one key at one moment. */
export interface Pane {
  readonly key: string;
  readonly window: WindowBounds;
  /** Before the watermark passed the window's end, when it did, or for records that came later. */
  readonly timing: "early" | "onTime" | "late";
  /** How many panes of this window came before; for windows that end with a record, of this key. */
  readonly index: number;
  /** Nothing more comes of this window. A window that nothing late comes for may end without saying so. */
  readonly final: boolean;
  /** Records in it. */
  readonly count: number;
  readonly values: Readonly<Record<string, JsonValue>>;
  /** Of a rolling window: the last values, oldest first. */
  readonly data?: readonly JsonValue[];
  /** Of a session that grew after it was told: what was told under other bounds and holds no longer. */
  readonly replaces?: readonly WindowBounds[];
}

/** Why a record is in no window. */
export type SetAsideReason =
  /** Its windows are gone. */
  | "late"
  /** Its time is so far ahead that everybody's windows would close. */
  | "future"
  /** Its time is no whole number of milliseconds. */
  | "badTime"
  | "notANumber"
  /** A number beyond `NUMBER_MAGNITUDE_MAX`, or a value that takes more than `KEPT_VALUE_BYTES_MAX`. */
  | "tooLarge"
  /** The field that an aggregate is of is not there. */
  | "missing"
  | "notJson"
  | "tooManyKeys"
  | "tooManyPanes"
  | "tooManyBuffered"
  | "tooMuchMemory";

/** A record that is in no window. */
export interface SetAside {
  readonly source: number;
  readonly key: string;
  readonly time: number;
  readonly value: unknown;
  readonly reason: SetAsideReason;
  /** The aggregate that could not take it. */
  readonly aggregate?: string;
}

/** Where windows tell what they have to tell; called while a record is added or a watermark moves. */
export interface WindowOutput {
  pane(pane: Pane): void;
  /** Late records come only where the definition says `late: "output"`; all others always. */
  setAside?(record: SetAside): void;
}
