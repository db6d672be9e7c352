import { basename } from "node:path";
import { systemClock } from "../../base/index.ts";
import type { Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import {
  type CopyOptions,
  type Elsewhere,
  fetchTo,
  type InBucket,
  interruptible,
  openProgress,
  type Place,
  readPlace,
  sendTo,
} from "../objects/index.ts";

const EXAMPLE = "For example lambent objects cp cat.jpg photos:cat.jpg";

/** `lambent objects cp <from> <to>`: one of them is in a bucket. */
export const run: Run<CopyOptions> = async (context, [fromText = "", toText = ""], options) => {
  const [from, to] = [readPlace(fromText), readPlace(toText)];
  if (from.kind === "bucket" && to.kind === "bucket")
    throw new CommandFailure("usage", `${fromText} and ${toText} are both in a bucket; this copies from or to this machine.`, EXAMPLE);
  if (from.kind !== "bucket" && to.kind !== "bucket")
    throw new CommandFailure("usage", `Neither ${fromText} nor ${toText} is in a bucket.`, EXAMPLE);
  await interruptible("Interrupted: no object and no file is there in part.", async (signal) => {
    // Nobody is shown anything beside data, and a bar is none where it cannot be drawn over.
    const isShown = !context.output.json && process.stderr.isTTY === true && context.environment["TERM"] !== "dumb";
    const bar = openProgress(labelOf(from, to), systemClock, isShown ? process.stderr : undefined);
    try {
      const copying = { context, options, bar, signal };
      if (to.kind === "bucket") await sendTo(copying, from as Elsewhere, to);
      else await fetchTo(copying, from as InBucket, to);
    } finally {
      bar.end();
    }
  });
};

function labelOf(from: Place, to: Place): string {
  const named = from.kind === "local" ? basename(from.path) : from.kind === "bucket" ? basename(from.key) || from.bucket : "";
  return named || (to.kind === "bucket" ? basename(to.key) || to.bucket : "");
}
