import type { CommandContext, Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import type { EventTriggerOptions } from "../trigger-by-events.ts";
import type { QueueTriggerOptions } from "../trigger-by-queue.ts";
import type { ScheduleTriggerOptions } from "../trigger-by-schedule.ts";
import type { StreamTriggerOptions } from "../trigger-by-stream.ts";
import type { UploadTriggerOptions } from "../trigger-by-upload.ts";

interface TriggerOptions
  extends QueueTriggerOptions, StreamTriggerOptions, EventTriggerOptions, ScheduleTriggerOptions, UploadTriggerOptions {}

const byStream = async (): Promise<Maker> => (await import("../trigger-by-stream.ts")).triggerByStream;
const bySchedule = async (): Promise<Maker> => (await import("../trigger-by-schedule.ts")).triggerBySchedule;

type Maker = (context: CommandContext, functionName: string, options: TriggerOptions) => Promise<void>;

const OF_STREAMS = ["batch", "window", "from", "bisect", "retries", "maxAge", "onFailure", "filter", "reportFailures", "format"] as const;

/** What can call a function, how it is made, and the options that say how. */
const KINDS: Readonly<Record<string, { readonly maker: () => Promise<Maker>; readonly options: readonly (keyof TriggerOptions)[] }>> = {
  queue: {
    maker: async () => (await import("../trigger-by-queue.ts")).triggerByQueue,
    options: ["batch", "window", "concurrency", "filter", "reportFailures"],
  },
  kafka: { maker: byStream, options: OF_STREAMS },
  stream: { maker: byStream, options: [...OF_STREAMS, "parallel", "tumble"] },
  on: { maker: async () => (await import("../trigger-by-events.ts")).triggerByEvents, options: ["bus", "format", "name"] },
  every: { maker: bySchedule, options: ["input", "name"] },
  cron: { maker: bySchedule, options: ["timezone", "input", "name"] },
  upload: { maker: async () => (await import("../trigger-by-upload.ts")).triggerByUpload, options: ["event", "name"] },
};

/** `lambent trigger <function>` `--queue`, `--kafka`, `--stream`, `--on`, `--every`, `--cron` or `--upload`: creates what is missing and says what it created. */
export const run: Run<TriggerOptions> = async (context, [functionName = ""], options) => {
  const given = options as Readonly<Record<string, unknown>>;
  const [kind, another] = Object.keys(KINDS).filter((name) => given[name] !== undefined);
  if (kind === undefined)
    throw new CommandFailure(
      "usage",
      "What is to trigger the function is missing.",
      `For example lambent trigger ${functionName} --queue orders, --kafka clicks, --on order.placed, --every '5 minutes', --cron '0 3 * * ? *' or --upload 'photos/*.jpg'`,
    );
  if (another !== undefined)
    throw new CommandFailure("usage", `--${kind} and --${another} are a trigger each.`, "Give the command once for each of them.");
  const { maker, options: own = [] } = KINDS[kind] ?? {};
  const foreign = Object.values(KINDS)
    .flatMap(({ options: all }) => all)
    .find((name) => given[name] !== undefined && !own.includes(name));
  if (foreign !== undefined)
    throw new CommandFailure("usage", `${flagOf(foreign)} does not go with --${kind}.`, `With it go ${own.map(flagOf).join(", ")}.`);
  await (
    await maker?.()
  )?.(context, functionName, options);
};

/** `--report-failures`. */
function flagOf(option: string): string {
  return `--${option.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`;
}
