import { writeSync } from "node:fs";
import { createRequire } from "node:module";
import type * as Pino from "pino";
import type { Clock } from "../base/index.ts";

/** The platform's own log, not a function's: what an operator reads. */
export interface PlatformLog extends Pick<Pino.Logger, "debug" | "info" | "warn" | "error"> {
  /** Loads what writes the lines, which is else loaded with the first: for after a start, which has no line to write as a rule. */
  load(): void;
}

export interface PlatformLogOptions {
  readonly clock: Clock;
  readonly level: "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
  /** Lines for people instead of JSON. */
  readonly forTerminal: boolean;
  /** By default standard error: standard output carries only what was asked for. */
  readonly write?: (line: string) => void;
}

const LEVEL_NAMES: Readonly<Record<number, string>> = { 10: "trace", 20: "debug", 30: "info", 40: "warn", 50: "error", 60: "fatal" };

/** Makes the platform's log: one JSON object a line, or on a terminal one readable line. */
export function openPlatformLog(options: PlatformLogOptions): PlatformLog {
  const write = options.write ?? ((line: string) => void writeSync(2, line));
  const destination: Pino.DestinationStream = { write: (line) => write(options.forTerminal ? readable(line) : line) };
  let logger: Pino.Logger | undefined;
  const loaded = (): Pino.Logger => (logger ??= makeLogger(options, destination));
  return {
    get debug() {
      const made = loaded();
      return made.debug.bind(made);
    },
    get info() {
      const made = loaded();
      return made.info.bind(made);
    },
    get warn() {
      const made = loaded();
      return made.warn.bind(made);
    },
    get error() {
      const made = loaded();
      return made.error.bind(made);
    },
    load: () => void loaded(),
  };
}

const require = createRequire(import.meta.url);

function makeLogger({ level, clock }: PlatformLogOptions, destination: Pino.DestinationStream): Pino.Logger {
  const { pino } = require("pino") as typeof Pino;
  return pino({ level, base: null, timestamp: () => `,"time":"${new Date(clock.now()).toISOString()}"` }, destination);
}

/** `12:30:05 warn  message  key=value …`; an error's stack follows on lines of its own. */
function readable(line: string): string {
  const { level, time, msg, err, ...rest } = JSON.parse(line) as Record<string, unknown> & {
    level: number;
    time: string;
    err?: { stack?: string };
  };
  const pairs = Object.entries(rest).map(([key, value]) => `  ${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  const stack = typeof err?.stack === "string" ? `\n${err.stack}` : "";
  return `${time.slice(11, 19)} ${(LEVEL_NAMES[level] ?? String(level)).padEnd(5)} ${typeof msg === "string" ? msg : ""}${pairs.join("")}${stack}\n`;
}
