/** What a window takes of a record: key, time and value; or why it sets the record aside. Pure. */
import { isUtf8 } from "node:buffer";
import type { StreamRecordView } from "../../streams/index.ts";
import type { KeyForm, TimeForm, TimeFormat, WindowSource } from "../definition.ts";
import { follow, type Path, readPath } from "./path.ts";

/** Characters of one value that a window takes, as JSON, where it is more than a number: it stands in one row of the journal with others. @limit */
export const INPUT_LENGTH_MAX = 262_144;
/** Characters of a key. @limit */
export const KEY_LENGTH_MAX = 1_024;
/** What JavaScript's dates have room for. */
const TIME_MAX = 8_640_000_000_000_000;

/** Why a record is set aside before the window sees it. A closed list; the window has reasons of its own beside it. */
export type ExtractFault =
  /** It has no value, as a tombstone of Kafka's has none. */
  | "noValue"
  | "notJson"
  | "noKey"
  /** The key is no text and no number, not UTF-8, or longer than `KEY_LENGTH_MAX`. */
  | "badKey"
  | "noTime"
  /** The time is not in the form that the definition says. */
  | "badTime"
  /** What the path of the value names is not there. */
  | "missing"
  | "tooLarge";

export interface Input {
  readonly key: string;
  readonly time: number;
  readonly value: unknown;
  /** The value as JSON; undefined for a number. */
  readonly text: string | undefined;
}

type Part<T> = T | Faulty;
/** Told from texts and numbers by what it is. */
interface Faulty {
  readonly fault: ExtractFault;
}

const fault = (name: ExtractFault): Faulty => ({ fault: name });
const NO_VALUE = fault("noValue");
const NOT_JSON = fault("notJson");

/** Makes a reader of records for one definition. */
export function extractor(source: WindowSource): (record: StreamRecordView) => Input | { readonly fault: ExtractFault } {
  const valuePath = readPath(source.value) ?? [];
  const keyOf = keyReader(source.key);
  const timeOf = timeReader(source.time);
  const valueOf = valueReader(valuePath);
  return (record) => {
    if (record.value === undefined) return NO_VALUE;
    const text = record.value.toString("utf8");
    const whole = parse(text);
    if (whole === undefined) return NOT_JSON;
    const key = keyOf(record, whole);
    if (typeof key !== "string") return key;
    const time = timeOf(record, whole);
    if (typeof time !== "number") return time;
    const value = valueOf(whole, text);
    return "fault" in value ? value : { key, time, value: value.value, text: value.text };
  };
}

/** Undefined is what JSON does not have. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // Whatever a producer sends.
    return undefined;
  }
}

type ValueReader = (whole: unknown, text: string) => { readonly value: unknown; readonly text: string | undefined } | Faulty;

/** What is journalled as a text is taken as it is read from that text again: 1e999 within an object is null behind a crash, so it is before. */
function valueReader(path: Path): ValueReader {
  if (path.length === 0)
    return (whole, text) => {
      if (typeof whole === "number") return { value: whole, text: undefined };
      return text.length > INPUT_LENGTH_MAX ? fault("tooLarge") : { value: whole, text };
    };
  return (whole) => {
    const value = follow(path, whole);
    if (value === undefined) return fault("missing");
    if (typeof value === "number") return { value, text: undefined };
    const text = JSON.stringify(value);
    if (text.length > INPUT_LENGTH_MAX) return fault("tooLarge");
    return { value: typeof value === "object" ? (JSON.parse(text) as unknown) : value, text };
  };
}

function keyReader(form: KeyForm): (record: StreamRecordView, json: unknown) => Part<string> {
  switch (form.kind) {
    case "all":
      return () => "";
    case "record":
      return ({ key }) => {
        if (key === undefined) return fault("noKey");
        return key.length > KEY_LENGTH_MAX || !isUtf8(key) ? fault("badKey") : key.toString("utf8");
      };
    case "path": {
      const path: Path = readPath(form.path) ?? [];
      return (_record, json) => keyText(follow(path, json));
    }
  }
}

function keyText(value: unknown): Part<string> {
  switch (typeof value) {
    case "string":
      return value.length > KEY_LENGTH_MAX ? fault("badKey") : value.toWellFormed();
    case "number":
    case "boolean":
      return String(value);
    default:
      return fault(value === undefined || value === null ? "noKey" : "badKey");
  }
}

function timeReader(form: TimeForm): (record: StreamRecordView, json: unknown) => Part<number> {
  if (form.kind === "record") return ({ timestamp }) => timePart(timestamp);
  const path: Path = readPath(form.path) ?? [];
  const { format } = form;
  return (_record, json) => {
    const found = follow(path, json);
    return found === undefined || found === null ? fault("noTime") : timePart(instantOf(found, format));
  };
}

function timePart(time: number | undefined): Part<number> {
  if (time === undefined || !(Math.abs(time) <= TIME_MAX)) return fault("badTime");
  return Math.floor(time);
}

const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/u;

/** Milliseconds; undefined when it is not in this form. Without an offset, a time is UTC. */
export function instantOf(value: unknown, format: TimeFormat): number | undefined {
  if (format === "iso") {
    const [found, offset] = (typeof value === "string" && ISO.exec(value)) || [];
    if (found === undefined) return undefined;
    const time = Date.parse(offset === undefined && found.length > 10 ? `${found}Z` : found);
    return Number.isNaN(time) ? undefined : time;
  }
  const number = typeof value === "string" && /^-?\d{1,16}(?:\.\d{1,9})?$/u.test(value) ? Number(value) : value;
  if (typeof number !== "number") return undefined;
  return format === "s" ? number * 1_000 : number;
}
