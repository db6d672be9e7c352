import { readFileSync } from "node:fs";
import { CommandFailure } from "./errors.ts";

/** What `--event` was given: the JSON itself, `-` for standard input, or a file's name. */
export type EventArgument =
  | { readonly kind: "json"; readonly text: string }
  | { readonly kind: "stdin" }
  | { readonly kind: "file"; readonly path: string };

/** Lambda's limit for a synchronous call (P7). */
export const EVENT_BYTES_MAX = 6_291_456;

const LITERAL = /^(-?\d+(\.\d+)?([eE][+-]?\d+)?|true|false|null)$/u;

/**
 * `{`, `[` and `"` begin JSON; a bare number, `true`, `false`, `null` are JSON too. `1.json` is a file.
 */
export function classifyEventArgument(argument: string): EventArgument {
  if (argument === "-") return { kind: "stdin" };
  const text = argument.trimStart();
  if (/^[[{"]/u.test(text) || LITERAL.test(text.trimEnd())) return { kind: "json", text };
  return { kind: "file", path: argument };
}

/** The event's bytes, checked to be JSON of an allowed size. Without an argument the event is `{}`. */
export async function readEvent(argument: string | undefined, stdin: AsyncIterable<Uint8Array>): Promise<Buffer> {
  if (argument === undefined) return Buffer.from("{}");
  const what = classifyEventArgument(argument);
  switch (what.kind) {
    case "json":
      return checked(Buffer.from(what.text), "--event");
    case "stdin":
      return checked(await readAll(stdin), "standard input");
    case "file":
      return checked(readFile(what.path), what.path);
  }
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === "ENOENT" ? "does not exist" : `cannot be read (${(error as Error).message})`;
    throw new CommandFailure(
      "usage",
      `The event file ${path} ${why}.`,
      `Give a file, - for standard input, or JSON: --event '{"name":"Ada"}'`,
    );
  }
}

async function readAll(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    if (bytes > EVENT_BYTES_MAX) break;
    chunks.push(chunk);
  }
  if (bytes > EVENT_BYTES_MAX) throw tooLarge("Standard input", bytes);
  return Buffer.concat(chunks);
}

/** What some editors put before the first character. */
const BYTE_ORDER_MARK = Buffer.from("\ufeff");

function checked(given: Buffer, where: string): Buffer {
  const bytes = given.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK) ? given.subarray(BYTE_ORDER_MARK.length) : given;
  if (bytes.length > EVENT_BYTES_MAX) throw tooLarge(where, bytes.length);
  try {
    JSON.parse(bytes.toString("utf8"));
    return bytes;
  } catch (error) {
    throw new CommandFailure(
      "usage",
      // The reason quotes the text, which may have many lines.
      `The event from ${where} is not JSON: ${(error as Error).message.replaceAll(/\s+/gu, " ")}.`,
      where === "--event"
        ? `Quote it for the shell: --event '{"name":"Ada"}'`
        : "Correct it, or see `lambent event sample` for whole ones.",
    );
  }
}

function tooLarge(where: string, bytes: number): CommandFailure {
  return new CommandFailure(
    "usage",
    `${where} has ${bytes} bytes or more; a call takes at most ${EVENT_BYTES_MAX}.`,
    "Send less, or put the body into a bucket.",
  );
}
