/** One line a function logged, whichever way it came here; as data it is one JSON document a line. */
export interface LogEntry {
  readonly at: number;
  readonly version: string | undefined;
  readonly instance: string | undefined;
  /** Undefined for lines of no call, and where the stored line does not tell. */
  readonly requestId: string | undefined;
  readonly text: string;
}

/** A line of a followed log, as the server sends it. */
export type FollowedLine =
  | { readonly kind: "line"; readonly entry: LogEntry }
  /** This reader was too slow for so many lines. */
  | { readonly kind: "dropped"; readonly count: number };

/** A line as CloudWatch Logs' operations give it. */
export interface StoredLine {
  readonly timestamp: number;
  readonly message: string;
  readonly logStreamName: string;
}

const ID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
/** Where a line names its call: the platform's own lines, Node's, Python's, and both languages' JSON. */
const REQUEST_ID = new RegExp(`^(?:(?:START|END|REPORT) RequestId: |\\S+Z\\t|\\[[A-Z]+\\]\\t\\S+Z\\t|\\{.*"requestId":\\s?")(${ID})`, "u");
const STREAM = /\[([^\]]+)\]([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/u;

export function storedEntry({ timestamp, message, logStreamName }: StoredLine): LogEntry {
  const [, version, ...id] = STREAM.exec(logStreamName) ?? [];
  return {
    at: timestamp,
    version,
    instance: id.length > 0 ? id.join("-") : undefined,
    requestId: REQUEST_ID.exec(message)?.[1],
    text: message.trimEnd(),
  };
}

/** One JSON line; undefined for what is neither. */
export function parseFollowed(text: string): FollowedLine | undefined {
  try {
    const value = JSON.parse(text) as Partial<LogEntry> & { readonly dropped?: number };
    if (typeof value.dropped === "number") return { kind: "dropped", count: value.dropped };
    if (typeof value.at !== "number" || typeof value.text !== "string") return undefined;
    const { at, version, instance, requestId } = value;
    const line = value.text.trimEnd();
    return { kind: "line", entry: { at, version, instance, requestId: requestId ?? REQUEST_ID.exec(line)?.[1], text: line } };
  } catch {
    return undefined;
  }
}

/** Members in one order; what is not known is left out. */
export function entryJson({ at, version, instance, requestId, text }: LogEntry): string {
  return JSON.stringify({ at, version, instance, requestId, text });
}

export function followedJson(line: FollowedLine): string {
  return line.kind === "line" ? entryJson(line.entry) : JSON.stringify({ dropped: line.count });
}

export function formatFollowed(line: FollowedLine): string {
  return line.kind === "line" ? formatEntry(line.entry) : `  … ${line.count} lines came faster than they could be shown`;
}

/** `10:31:02.113  text`, in the time of this machine. */
export function formatEntry({ at, text }: LogEntry): string {
  const time = new Date(at);
  const two = (value: number): string => String(value).padStart(2, "0");
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${String(time.getMilliseconds()).padStart(3, "0")}`;
  return `${clock}  ${text}`;
}
