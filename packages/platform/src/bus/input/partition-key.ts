/** Which partition key an event has for a stream that a rule sends it to. Pure. */
import { invariant, JsonText, LambentError } from "../../base/index.ts";
import type { BusEvent } from "../envelope.ts";
import { parseInputPath, selectInput } from "./path.ts";

/** Characters of a partition key, as Kinesis bounds them. */
const KEY_CHARS_MAX = 256;

/** Refuses what leads to nothing in any event. Throws `InvalidParameter`. */
export function checkPartitionKeyPath(path: string, targetId: string): void {
  if (!parseInputPath(path)) throw new LambentError("InvalidParameter", `PartitionKeyPath for target ${targetId} is invalid.`);
}

/**
 * What `path` leads to in `view`, AWS's form of the event: a text as it reads, anything else as it is written. The event's id where it leads
 * to nothing or null, or there is no path: AWS does not say what it does then, and an event that is kept is better than one that is not.
 * Undefined for the id of a CloudEvent that is too long for a key.
 */
export function partitionKeyOf(path: string | undefined, { id }: BusEvent, view: Buffer): string | undefined {
  const usual = id.length <= KEY_CHARS_MAX ? id : undefined;
  if (path === undefined) return usual;
  const steps = parseInputPath(path);
  const read = JsonText.parse(view.toString("utf8"));
  invariant(steps && read, "a path was checked before it was kept, and an event's view is JSON");
  const found = selectInput(read, steps) ?? "null";
  const value: unknown = found.startsWith('"') ? JSON.parse(found) : undefined;
  return typeof value === "string" ? value : found === "null" ? usual : found;
}
