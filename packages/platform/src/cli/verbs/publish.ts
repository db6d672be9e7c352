import { batches, lines } from "../batches.ts";
import type { Client } from "../client.ts";
import type { Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { type EntryShape, eventBridge } from "../event-api.ts";
import { readBus } from "../event-names.ts";

interface PublishOptions {
  readonly source?: string;
  readonly bus?: string;
}

const SOURCE_DEFAULT = "lambent.cli";

interface Put {
  readonly Entries: readonly { readonly EventId?: string; readonly ErrorCode?: string; readonly ErrorMessage?: string }[];
}

/** `lambent publish <type> <json>`, or `-` for an event a line. */
export const run: Run<PublishOptions> = async (
  { output, client },
  [type = "", detail = ""],
  { source = SOURCE_DEFAULT, bus = "default" },
) => {
  readBus(bus);
  const many = detail === "-";
  const published: string[] = [];
  const details = many
    ? checkedLines(() => published.length)
    : [checked(detail, "The event", "For example '{\"number\":1}', quoted for the shell.")];
  for await (const batch of batches(details, Buffer.byteLength(type + source))) {
    const entries = batch.map((Detail): EntryShape => ({ Source: source, DetailType: type, Detail, EventBusName: bus }));
    const ids = await put(client(), entries, published.length);
    published.push(...ids);
    if (output.json) for (const EventId of ids) output.line(JSON.stringify({ EventId }));
    else if (!many) output.line(`  ${ids[0]}   published to bus ${bus}`);
  }
  if (output.json) return;
  if (many) output.line(`  ${published.length} events published to bus ${bus}`);
  const last = published.at(-1);
  if (last !== undefined) output.note(`  \`lambent events ${last} --chain\` shows what ${many ? "the last one" : "it"} led to.`);
};

const NEXT: Readonly<Record<string, string>> = {
  ResourceNotFoundException: "`lambent trigger <function> --on <type> --bus <name>` creates it with its trigger.",
  NotAuthorizedForSourceException: "Sources that begin with aws. are AWS's own: name another one with --source.",
  ThrottlingException: "Publish it again in a moment.",
};

async function put(client: Client, entries: readonly EntryShape[], before: number): Promise<string[]> {
  const { Entries } = await eventBridge<Put>(client, "PutEvents", { Entries: entries });
  const failed = Entries.find(({ ErrorCode }) => ErrorCode !== undefined);
  if (!failed) return Entries.flatMap(({ EventId }) => EventId ?? []);
  const exit =
    failed.ErrorCode === "ResourceNotFoundException" ? "notFound" : failed.ErrorCode === "ThrottlingException" ? "tryAgain" : "usage";
  const next = NEXT[failed.ErrorCode ?? ""] ?? "Correct it and repeat.";
  const taken = before + Entries.filter(({ EventId }) => EventId !== undefined).length;
  throw new CommandFailure(
    exit,
    failed.ErrorMessage ?? "An event was refused.",
    taken > 0 ? `${taken} events were published. ${next}` : next,
  );
}

async function* checkedLines(published: () => number): AsyncGenerator<string> {
  let number = 0;
  for await (const line of lines()) {
    number += 1;
    if (line === "") continue;
    // What is ahead of it in its batch has not been sent.
    yield checked(line, `Line ${number}`, () => `${published()} events were published; correct the line and give the rest again.`);
  }
}

function checked(text: string, what: string, next: string | (() => string)): string {
  const advice = (): string => (typeof next === "string" ? next : next());
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new CommandFailure("usage", `${what} is not JSON: ${(error as Error).message.replaceAll(/\s+/gu, " ")}.`, advice());
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return text;
  throw new CommandFailure("usage", `${what} is not a JSON object, which EventBridge asks for.`, advice());
}
