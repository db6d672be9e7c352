/**
 * Flow control of asynchronous invocations, as tags of the function (docs/decisions/0017): how they are written, and what they say.
 * What they do is decided in `invoker/async`.
 */
import { LambentError } from "../../base/index.ts";

/** A place in the event: names and positions from its root, as in `order.lines.0.id`. */
export type KeyPath = readonly string[];

/** What a rule counts by: the value at a place of the event; undefined counts all events together. */
export interface Keyed {
  readonly key: KeyPath | undefined;
}

export interface FlowSettings {
  /** Events that run at the same time, of each key. */
  readonly concurrency: (Keyed & { readonly max: number }) | undefined;
  /** Events that begin within each stretch of time. */
  readonly rate: { readonly max: number; readonly perMs: number } | undefined;
  /** An event waits this long, and a newer one of the same key takes its place. */
  readonly debounce: (Keyed & { readonly quietMs: number }) | undefined;
  /** Where an event's priority is: a number, the higher the earlier, 0 where there is none. */
  readonly priority: KeyPath | undefined;
  /** An event whose key was accepted within this time is not handled again. */
  readonly idempotency: { readonly key: KeyPath; readonly forMs: number } | undefined;
}

/** The tags, by the setting each is. */
export const FLOW_TAGS = {
  concurrency: "lambent:async-concurrency",
  rate: "lambent:async-rate",
  debounce: "lambent:async-debounce",
  priority: "lambent:async-priority",
  idempotency: "lambent:async-idempotency",
} as const satisfies Record<keyof FlowSettings, string>;

/** @limit */
export const KEY_PATH_DEPTH_MAX = 8;
/** @limit */
export const DEBOUNCE_MS_MAX = 3_600_000;
/** @limit */
export const IDEMPOTENCY_MS_MAX = 86_400_000;

const PATH = String.raw`([A-Za-z0-9_$-]+(?:\.[A-Za-z0-9_$-]+)*)`;
const SPAN = String.raw`(\d{1,8})(ms|s|m|h)`;
const UNITS_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const;

const FORMS: {
  readonly [Setting in keyof FlowSettings]: {
    readonly form: RegExp;
    readonly says: string;
    read(found: RegExpExecArray): FlowSettings[Setting];
  };
} = {
  concurrency: {
    form: new RegExp(String.raw`^([1-9]\d{0,3})(?: per ${PATH})?$`),
    says: "a number from 1 to 9999, and maybe `per` and a place in the event: 2 per customer.id",
    read: ([, max, key]) => ({ max: Number(max), key: pathOf(key) }),
  },
  rate: {
    form: /^([1-9]\d{0,5})\/(s|m|h)$/,
    says: "a number of events and s, m or h: 100/s",
    read: ([, max, unit]) => ({ max: Number(max), perMs: UNITS_MS[unit as keyof typeof UNITS_MS] }),
  },
  debounce: {
    form: new RegExp(`^${SPAN}(?: per ${PATH})?$`),
    says: "a time of at most 1h, and maybe `per` and a place in the event: 5s per order.id",
    read: ([, count, unit, key]) => ({ quietMs: spanMs(count, unit, DEBOUNCE_MS_MAX), key: pathOf(key) }),
  },
  priority: { form: new RegExp(`^${PATH}$`), says: "a place in the event: priority", read: ([, key]) => pathOf(key) },
  idempotency: {
    form: new RegExp(`^${PATH}(?: for ${SPAN})?$`),
    says: "a place in the event, and maybe `for` and a time of at most 24h: order.id for 1h",
    read: ([, key, count, unit]) => ({
      key: pathOf(key) ?? [],
      forMs: count === undefined ? IDEMPOTENCY_MS_MAX : spanMs(count, unit, IDEMPOTENCY_MS_MAX),
    }),
  },
};

/** What the tags say; what no tag says is undefined. */
export function flowFromTags(tags: Readonly<Record<string, string>>): FlowSettings {
  const own = new Map(Object.entries(tags));
  const setting = <Setting extends keyof FlowSettings>(name: Setting): FlowSettings[Setting] | undefined => {
    const value = own.get(FLOW_TAGS[name]);
    const found = value === undefined ? null : FORMS[name].form.exec(value);
    return found ? FORMS[name].read(found) : undefined;
  };
  return {
    concurrency: setting("concurrency"),
    rate: setting("rate"),
    debounce: setting("debounce"),
    priority: setting("priority"),
    idempotency: setting("idempotency"),
  };
}

/** Throws `InvalidParameter` when `key` is one of these tags and `value` is not what it takes. */
export function flowSetting(key: string, value: string): void {
  const setting = (Object.keys(FLOW_TAGS) as (keyof FlowSettings)[]).find((name) => FLOW_TAGS[name] === key);
  if (!setting) return;
  const { form, says, read } = FORMS[setting];
  const found = form.exec(value);
  if (!found) throw new LambentError("InvalidParameter", `The tag ${key} is ${JSON.stringify(value)}; it is ${says}.`);
  read(found);
}

function pathOf(text: string | undefined): KeyPath | undefined {
  if (text === undefined) return undefined;
  const path = text.split(".");
  if (path.length > KEY_PATH_DEPTH_MAX)
    throw new LambentError(
      "InvalidParameter",
      `The place ${JSON.stringify(text)} has ${path.length} parts; at most ${KEY_PATH_DEPTH_MAX} are allowed.`,
    );
  return path;
}

function spanMs(count: string | undefined, unit: string | undefined, max: number): number {
  const ms = Number(count) * UNITS_MS[unit as keyof typeof UNITS_MS];
  if (ms < 1 || ms > max) throw new LambentError("InvalidParameter", `The time ${count}${unit} is not from 1ms to ${max / UNITS_MS.m}m.`);
  return ms;
}
