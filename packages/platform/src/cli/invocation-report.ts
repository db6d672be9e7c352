/** What the platform says of a call in the log's last lines, and what a handler's error looks like to its author. */

export interface CallReport {
  readonly durationMs: number;
  readonly billedMs: number;
  readonly memoryMb: number;
  /** Undefined when the instance was there already. */
  readonly initMs: number | undefined;
}

const TEXT_REPORT =
  /^REPORT RequestId: \S+\s+Duration: ([\d.]+) ms\s+Billed Duration: (\d+) ms\s+Memory Size: \d+ MB\s+Max Memory Used: (\d+) MB(?:\s+Init Duration: ([\d.]+) ms)?/mu;

/** The REPORT line of a log tail, in either log format; undefined when there is none. */
export function parseReport(tail: string): CallReport | undefined {
  const found = TEXT_REPORT.exec(tail);
  if (found)
    return {
      durationMs: Number(found[1]),
      billedMs: Number(found[2]),
      memoryMb: Number(found[3]),
      initMs: found[4] === undefined ? undefined : Number(found[4]),
    };
  const line = tail.split("\n").findLast((each) => each.includes('"platform.report"'));
  return line === undefined ? undefined : parseJsonReport(line);
}

function parseJsonReport(line: string): CallReport | undefined {
  try {
    const { record } = JSON.parse(line) as { readonly record?: { readonly metrics?: Readonly<Record<string, number>> } };
    const metrics = record?.metrics;
    if (metrics?.["durationMs"] === undefined) return undefined;
    return {
      durationMs: metrics["durationMs"],
      billedMs: metrics["billedDurationMs"] ?? 0,
      memoryMb: metrics["maxMemoryUsedMB"] ?? 0,
      initMs: metrics["initDurationMs"],
    };
  } catch {
    return undefined;
  }
}

/** `2.1 ms + 4.6 ms cold start · billed 7 ms · 43 MB`. */
export function summarise(report: CallReport, formatMs: (ms: number) => string): string {
  const cold = report.initMs === undefined ? "" : ` + ${formatMs(report.initMs)} cold start`;
  return `${formatMs(report.durationMs)}${cold} · billed ${report.billedMs} ms · ${report.memoryMb} MB`;
}

export interface FunctionError {
  readonly type: string;
  readonly message: string;
  /** The author's own lines; those of the runtime are left out. */
  readonly stack: readonly string[];
}

/** Stack lines shown at most. */
const STACK_LINES_MAX = 12;

/** Reads the payload of a failed call. */
export function parseFunctionError(payload: string): FunctionError {
  try {
    const value = JSON.parse(payload) as {
      readonly errorType?: string;
      readonly errorMessage?: string;
      readonly trace?: readonly string[];
      readonly stackTrace?: readonly string[];
    };
    const lines = (value.trace ?? value.stackTrace ?? []).flatMap((line) => line.split("\n")).map((line) => line.trimEnd());
    return {
      type: value.errorType ?? "Error",
      message: value.errorMessage ?? payload,
      stack: ownLines(lines, value.errorMessage ?? "").slice(0, STACK_LINES_MAX),
    };
  } catch {
    return { type: "Error", message: payload, stack: [] };
  }
}

function ownLines(lines: readonly string[], message: string): string[] {
  const isOurs = /node:internal|\(node:|\/lambent\/runtime\/|lambent_runtime|\/runtime\/(node|python)\//u;
  return lines.slice(linesOfMessage(lines, message)).filter((line) => line.trim() !== "" && !isOurs.test(line));
}

/** How many lines at the top of a stack say the message again, which is shown already. */
function linesOfMessage(lines: readonly string[], message: string): number {
  const said = message.split("\n").map((line) => line.trimEnd());
  if (message === "" || !lines[0]?.includes(said[0] ?? "")) return 0;
  const other = said.findIndex((line, at) => at > 0 && lines[at] !== line);
  return other === -1 ? said.length : other;
}
