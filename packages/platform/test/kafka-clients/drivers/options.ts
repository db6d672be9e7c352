/** What drivers in JavaScript are told, and how they tell. */
import { invariant } from "../../../src/base/index.ts";

export interface DriverOptions {
  readonly broker: string;
  readonly topic: string;
  readonly group: string;
  readonly first: number;
  readonly count: number;
  readonly value: string;
  readonly codec: "none" | "gzip" | "snappy" | "lz4" | "zstd";
  readonly sharing: "eager" | "cooperative";
}

/** The command, and what it is done with. */
export function driverOptions(): { readonly command: string; readonly options: DriverOptions } {
  const [, , command, text] = process.argv;
  invariant(command !== undefined && text !== undefined, "usage: <driver> <command> <json>");
  return { command, options: JSON.parse(text) as DriverOptions };
}

export function tell(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** The records a produce command sends. */
export function messagesOf(
  { first, count, value }: DriverOptions,
  client: string,
): { key: string; value: string; headers: { client: string } }[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `k${first + index}`,
    value: `${value}${first + index}`,
    headers: { client },
  }));
}
