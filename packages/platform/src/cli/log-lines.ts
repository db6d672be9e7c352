/** A line of a followed log, as the server sends it. */
export type FollowedLine =
  | { readonly kind: "line"; readonly at: number; readonly text: string }
  /** This reader was too slow for so many lines. */
  | { readonly kind: "dropped"; readonly count: number };

/** One JSON line; undefined for what is neither. */
export function parseFollowed(text: string): FollowedLine | undefined {
  try {
    const value = JSON.parse(text) as { readonly at?: number; readonly text?: string; readonly dropped?: number };
    if (typeof value.dropped === "number") return { kind: "dropped", count: value.dropped };
    return typeof value.at === "number" && typeof value.text === "string" ? { kind: "line", at: value.at, text: value.text } : undefined;
  } catch {
    return undefined;
  }
}

export function formatFollowed(line: FollowedLine): string {
  return line.kind === "line" ? formatLine(line.at, line.text) : `  … ${line.count} lines came faster than they could be shown`;
}

/** `10:31:02.113  text`, in the time of this machine. */
export function formatLine(at: number, text: string): string {
  const time = new Date(at);
  const two = (value: number): string => String(value).padStart(2, "0");
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${String(time.getMilliseconds()).padStart(3, "0")}`;
  return `${clock}  ${text.trimEnd()}`;
}
