import type { CommandContext, Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { readEvent } from "../event-argument.ts";
import { parseFunctionError, parseReport, summarise } from "../invocation-report.ts";
import { functionPath } from "../lambda-api.ts";
import { formatMs } from "../output.ts";

interface InvokeOptions {
  readonly event?: string;
  readonly qualifier?: string;
  readonly tail?: boolean;
  readonly async?: boolean;
}

/** `lambent invoke <function>`: the answer on standard output, what the call took on standard error. */
export const run: Run<InvokeOptions> = async (context, [name = ""], options) => {
  if (options.event === "-" && process.stdin.isTTY) context.output.note("  the event is read from here; Ctrl-D ends it");
  const body = await readEvent(options.event, process.stdin);
  if (options.async && options.tail)
    throw new CommandFailure(
      "usage",
      "--tail shows the log of a call that is waited for, and --async waits for none.",
      "Leave out one of the two.",
    );
  const query = options.qualifier ? `?Qualifier=${encodeURIComponent(options.qualifier)}` : "";
  const answer = await context
    .client()
    .send({
      service: "lambda",
      method: "POST",
      path: functionPath(name, `/invocations${query}`),
      headers: options.async
        ? { "x-amz-invocation-type": "Event" }
        : { "x-amz-invocation-type": "RequestResponse", "x-amz-log-type": "Tail" },
      body,
    })
    .catch((error: unknown) => missingVersion(name, options.qualifier, error));
  if (options.async) return accepted(context, name, String(answer.headers["x-amzn-requestid"] ?? ""));
  const tail = Buffer.from(String(answer.headers["x-amz-log-result"] ?? ""), "base64").toString("utf8");
  const failed = answer.headers["x-amz-function-error"] !== undefined;
  print(context, { name, payload: answer.body, tail, failed, showTail: options.tail === true });
  return failed ? "functionFailed" : undefined;
};

/** What is missing may be the version alone. */
function missingVersion(name: string, qualifier: string | undefined, error: unknown): never {
  const [base = "", version = qualifier] = name.startsWith("arn:") ? [] : name.split(":");
  if (!(error instanceof CommandFailure) || error.exit !== "notFound" || version === undefined || base === "") throw error;
  throw new CommandFailure(
    "notFound",
    error.message,
    `\`lambent versions ${base}\` shows its versions, \`lambent list\` the functions that are there.`,
  );
}

function accepted({ output }: CommandContext, name: string, requestId: string): void {
  if (output.json) return output.data({ accepted: true, requestId });
  output.line(`  accepted as ${requestId}`);
  output.note(`  \`lambent events ${requestId} -f\` shows what becomes of it, \`lambent logs ${name}\` what it logged.`);
}

interface Ended {
  readonly name: string;
  readonly payload: Buffer;
  readonly tail: string;
  readonly failed: boolean;
  readonly showTail: boolean;
}

function print({ output }: CommandContext, ended: Ended): void {
  const text = ended.payload.toString("utf8");
  const report = parseReport(ended.tail);
  if (output.json)
    return output.data({
      failed: ended.failed,
      answer: parsedOrText(text),
      report,
      ...(ended.showTail ? { log: ended.tail.split("\n") } : {}),
    });
  if (ended.showTail)
    for (const line of ended.tail.trimEnd().split("\n")) output.note(output.paint("dim", `  ${output.foreign(line, "err")}`));
  if (ended.failed) printError(output, text);
  else {
    const shown = output.foreign(text);
    output.raw(shown === text ? ended.payload : Buffer.from(shown));
    output.line("");
  }
  if (report) output.note(`  ${summarise(report, formatMs)}`);
  if (ended.failed) output.note(`  \`lambent logs ${ended.name}\` has what it logged.`);
}

function printError(output: CommandContext["output"], payload: string): void {
  const { type, message, stack } = parseFunctionError(payload);
  output.note(`  ${output.paint("red", output.foreign(type, "err"))}: ${output.foreign(message, "err")}`);
  // Python marks columns below a line of code: lines keep their places to each other.
  const margin = Math.min(...stack.map((line) => line.search(/\S/u)));
  for (const line of stack) output.note(output.paint("dim", `    ${output.foreign(line.slice(margin), "err")}`));
}

function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
