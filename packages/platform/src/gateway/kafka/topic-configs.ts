/** Kafka's topic configurations: which act, which are only kept, and how a stream's settings read as them. Pure. */
import { RECORD_BYTES_DEFAULT, RECORD_BYTES_MAX, type StreamRecord, type StreamSettings } from "../../streams/index.ts";
import { DEFAULT_RETENTION_MS } from "./topics.ts";

/** Kafka's numbers for the types of configurations. */
const TYPES = { boolean: 1, string: 2, int: 3, long: 5, double: 6, list: 7 } as const;

interface KnownConfig {
  readonly type: keyof typeof TYPES;
  readonly otherwise: string;
  readonly isRight: (value: string) => boolean;
  /** What may be set, for the one who set something else. */
  readonly rule: string;
}

/** One that changes what happens. */
interface ActingConfig extends KnownConfig {
  readonly read: (settings: StreamSettings) => string;
  readonly write: (value: string) => Partial<StreamSettings>;
}

const wholeFrom =
  (min: number, max = Number.MAX_SAFE_INTEGER) =>
  (value: string): boolean =>
    /^-?\d{1,16}$/.test(value) && Number(value) >= min && Number(value) <= max;
const positiveOrNone = (value: string): boolean => wholeFrom(1)(value) || value === "-1";
const oneOf =
  (...values: readonly string[]) =>
  (value: string): boolean =>
    values.includes(value);

const ACTING: Readonly<Record<string, ActingConfig>> = {
  "retention.ms": {
    type: "long",
    otherwise: String(DEFAULT_RETENTION_MS),
    isRight: positiveOrNone,
    rule: "a whole number of milliseconds, or -1 for ever",
    read: ({ retentionMs }) => String(retentionMs),
    write: (value) => ({ retentionMs: Number(value) }),
  },
  "retention.bytes": {
    type: "long",
    otherwise: "-1",
    isRight: positiveOrNone,
    rule: "a whole number of bytes of each partition, or -1 for no bound",
    read: ({ retentionBytes }) => String(retentionBytes ?? -1),
    write: (value) => ({ retentionBytes: Number(value) < 0 ? undefined : Number(value) }),
  },
  "max.message.bytes": {
    type: "int",
    otherwise: String(RECORD_BYTES_DEFAULT),
    isRight: wholeFrom(1, RECORD_BYTES_MAX),
    rule: `1 to ${RECORD_BYTES_MAX}: bytes of one record`,
    read: ({ recordBytesMax }) => String(recordBytesMax),
    write: (value) => ({ recordBytesMax: Number(value) }),
  },
  "message.timestamp.type": {
    type: "string",
    otherwise: "CreateTime",
    isRight: oneOf("CreateTime", "LogAppendTime"),
    rule: "CreateTime or LogAppendTime",
    read: ({ timestamps }) => (timestamps === "append" ? "LogAppendTime" : "CreateTime"),
    write: (value) => ({ timestamps: value === "LogAppendTime" ? "append" : "create" }),
  },
  "cleanup.policy": {
    type: "list",
    otherwise: "delete",
    isRight: oneOf("delete"),
    rule: "delete; compaction is not built in Lambent",
    read: () => "delete",
    write: () => ({}),
  },
};

const anyBoolean = { type: "boolean", isRight: oneOf("true", "false"), rule: "true or false" } as const;
const anyWhole = { type: "long", isRight: wholeFrom(-1), rule: "a whole number" } as const;

/** What asks for nothing that a log without segments, replicas or conversions could do: kept, and told back. */
const KEPT: Readonly<Record<string, KnownConfig>> = {
  "compression.type": {
    type: "string",
    otherwise: "producer",
    isRight: oneOf("producer"),
    rule: "producer; records are kept as they come",
  },
  "delete.retention.ms": { ...anyWhole, otherwise: "86400000" },
  "file.delete.delay.ms": { ...anyWhole, otherwise: "60000" },
  "flush.messages": { ...anyWhole, otherwise: "1" },
  "flush.ms": { ...anyWhole, otherwise: "0" },
  "index.interval.bytes": { ...anyWhole, otherwise: "4096" },
  "max.compaction.lag.ms": { ...anyWhole, otherwise: "-1" },
  "message.downconversion.enable": { ...anyBoolean, otherwise: "false" },
  "message.timestamp.after.max.ms": { ...anyWhole, otherwise: "-1" },
  "message.timestamp.before.max.ms": { ...anyWhole, otherwise: "-1" },
  "min.cleanable.dirty.ratio": { type: "double", otherwise: "0.5", isRight: (value) => /^[01](\.\d{1,16})?$/.test(value), rule: "0 to 1" },
  "min.compaction.lag.ms": { ...anyWhole, otherwise: "0" },
  "min.insync.replicas": { type: "int", otherwise: "1", isRight: oneOf("1"), rule: "1; there is one broker" },
  preallocate: { ...anyBoolean, otherwise: "false" },
  "segment.bytes": { ...anyWhole, otherwise: "1073741824" },
  "segment.index.bytes": { ...anyWhole, otherwise: "10485760" },
  "segment.jitter.ms": { ...anyWhole, otherwise: "0" },
  "segment.ms": { ...anyWhole, otherwise: "604800000" },
  "unclean.leader.election.enable": { ...anyBoolean, otherwise: "false" },
};

/** Names of the configurations that act, and of those that are kept without effect: for docs/kafka.md. */
export const TOPIC_CONFIG_NAMES = { acting: Object.keys(ACTING), kept: Object.keys(KEPT) } as const;

const known = (name: string): KnownConfig | undefined =>
  Object.hasOwn(ACTING, name) ? ACTING[name] : Object.hasOwn(KEPT, name) ? KEPT[name] : undefined;

export interface ToldConfig {
  readonly name: string;
  readonly value: string;
  readonly isDefault: boolean;
  readonly type: number;
}

/** All configurations of a topic with these settings, by name. */
export function configsOf(settings: StreamSettings): readonly ToldConfig[] {
  return [...Object.keys(ACTING), ...Object.keys(KEPT)].sort().map((name) => {
    const { type, otherwise } = known(name) ?? { type: "string", otherwise: "" };
    const value = ACTING[name]?.read(settings) ?? settings.config[name] ?? otherwise;
    return { name, value, isDefault: value === otherwise, type: TYPES[type] };
  });
}

export type Changed<T> = { readonly kind: "changed"; readonly changed: T } | { readonly kind: "wrong"; readonly message: string };

/** Settings with `changes` made to them; null takes a configuration back to its default. */
export function withConfigs(settings: StreamSettings, changes: ReadonlyMap<string, string | null>): Changed<StreamSettings> {
  let changed = settings;
  for (const [name, given] of changes) {
    const config = known(name);
    if (!config) return { kind: "wrong", message: `There is no topic configuration ${JSON.stringify(name)}.` };
    const value = given ?? config.otherwise;
    if (!config.isRight(value)) return { kind: "wrong", message: `${name} is ${JSON.stringify(value)}; it can be ${config.rule}.` };
    const acting = ACTING[name];
    if (acting) changed = { ...changed, ...acting.write(value) };
    else {
      const { [name]: _before, ...others } = changed.config;
      changed = { ...changed, config: given === null ? others : { ...others, [name]: value } };
    }
  }
  return { kind: "changed", changed };
}

/** The settings of a topic that nobody configured. */
export const DEFAULT_TOPIC_SETTINGS: StreamSettings = {
  retentionMs: DEFAULT_RETENTION_MS,
  retentionBytes: undefined,
  recordBytesMax: RECORD_BYTES_DEFAULT,
  timestamps: "create",
  config: {},
};

/** A topic with nothing but the configurations given: what is not among them goes back to its default. */
export function onlyConfigs(record: StreamRecord, configs: ReadonlyMap<string, string | null>): Changed<StreamSettings> {
  const { retentionMs, retentionBytes, recordBytesMax, timestamps, config } = DEFAULT_TOPIC_SETTINGS;
  return withConfigs({ ...record.settings, retentionMs, retentionBytes, recordBytesMax, timestamps, config }, configs);
}

export type ConfigOperation = "set" | "delete" | "append" | "subtract";

/** Kafka's numbers for what can be done with a configuration. */
export const CONFIG_OPERATIONS: readonly ConfigOperation[] = ["set", "delete", "append", "subtract"];

/** What one operation of an incremental change makes of a value. Lists are grown and shrunk; nothing else is. */
export function changedValue(
  settings: StreamSettings,
  name: string,
  operation: ConfigOperation,
  value: string | null,
): Changed<string | null> {
  if (operation === "set" || operation === "delete") return { kind: "changed", changed: operation === "set" ? value : null };
  if (known(name)?.type !== "list") return { kind: "wrong", message: `${name} is no list: nothing is appended to it or taken out.` };
  const before = (ACTING[name]?.read(settings) ?? "").split(",").filter((each) => each !== "");
  const given = (value ?? "").split(",");
  const after = operation === "append" ? [...new Set([...before, ...given])] : before.filter((each) => !given.includes(each));
  return { kind: "changed", changed: after.join(",") };
}
