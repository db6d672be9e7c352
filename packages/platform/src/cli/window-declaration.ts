/** What `lambent windows create` was given, as the declaration that the server reads. Pure. */
import { CommandFailure } from "./errors.ts";

export interface WindowOptions {
  readonly from?: string;
  readonly start?: string;
  readonly key?: string;
  readonly value?: string;
  readonly time?: string;
  readonly window?: string;
  readonly aggregate?: readonly string[];
  readonly to?: readonly string[];
  readonly setAside?: string;
}

type Members = Readonly<Record<string, unknown>>;

/** By kind: what follows its name, as members. */
const FORMS: readonly (readonly [RegExp, (...found: string[]) => Members])[] = [
  [/^(tumbling|sliding) (\w+)$/u, (kind, size) => ({ kind, size })],
  [/^(hopping) (\w+) every (\w+)$/u, (kind, size, every) => ({ kind, size, every })],
  [/^(session) (\w+)$/u, (kind, gap) => ({ kind, gap })],
  [/^(rolling|tumblingCount|slidingCount) (\d+)$/u, (kind, size) => ({ kind, size: Number(size) })],
];

/** The members that the options say; what they do not say is left out. */
export function declarationOf({ from, window, aggregate, to, setAside, time, ...plain }: WindowOptions): Members {
  const { start, key, value } = plain;
  return {
    ...(from === undefined ? {} : { source: from }),
    ...(start === undefined ? {} : { start }),
    ...(key === undefined ? {} : { key }),
    ...(value === undefined ? {} : { value }),
    ...(time === undefined ? {} : { time: timeOf(time) }),
    ...(window === undefined ? {} : { window: windowOf(window) }),
    ...(aggregate === undefined ? {} : { aggregates: Object.fromEntries(aggregate.map(aggregateOf)) }),
    ...(to === undefined ? {} : { sinks: to.map(sinkOf) }),
    ...(setAside === undefined ? {} : { setAside }),
  };
}

function windowOf(text: string): Members {
  for (const [form, members] of FORMS) {
    const [, ...found] = form.exec(text) ?? [];
    if (found.length > 0) return members(...found);
  }
  throw new CommandFailure(
    "usage",
    `--window is ${JSON.stringify(text)}; it has to be a kind of window and its size.`,
    "As 'tumbling 1m', 'hopping 5m every 1m', 'sliding 1m', 'session 30s', 'rolling 10', 'slidingCount 100'; --file takes all else.",
  );
}

/** `mean`, `average=mean`, `top=topK:5`. */
function aggregateOf(text: string): readonly [string, unknown] {
  const [name = "", kind = name] = text.split("=");
  const [word = "", count] = kind.split(":");
  if (name === "" || word === "")
    throw new CommandFailure(
      "usage",
      `--aggregate is ${JSON.stringify(text)}; it has to be a kind, or name=kind.`,
      "As --aggregate mean, or --aggregate top=topK:5",
    );
  return [name, count === undefined ? word : { [word]: word === "quantiles" ? count.split(",").map(Number) : Number(count) }];
}

function timeOf(text: string): unknown {
  const [, path, format] = /^(\$.*?)(?::(ms|s|iso))?$/u.exec(text) ?? [];
  if (path === undefined) return text;
  return { path, format: format ?? "ms" };
}

/** A stream by its name; everything else by what it looks like. */
function sinkOf(text: string): Members {
  const [, kind, rest = ""] = /^(stream|function):(.+)$/u.exec(text) ?? [];
  if (kind !== undefined) return { [kind]: rest };
  if (text.startsWith("arn:")) return { target: text };
  if (/^https?:/iu.test(text)) return { http: text };
  const [, bucket, prefix = ""] = /^s3:\/\/([^/]+)\/?(.*)$/u.exec(text) ?? [];
  return bucket === undefined ? { stream: text } : { bucket, ...(prefix === "" ? {} : { prefix }) };
}
