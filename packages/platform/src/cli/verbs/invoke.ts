import type { CommandContext, Run } from "../command.ts";
import { readEvent } from "../event-argument.ts";
import { parseFunctionError, parseReport, summarise } from "../invocation-report.ts";
import { functionPath } from "../lambda-api.ts";
import { formatMs } from "../output.ts";

interface InvokeOptions {
  readonly event?: string;
  readonly qualifier?: string;
  readonly tail?: boolean;
}

/** `lambent invoke <function>`: the answer on standard output, what the call took on standard error. */
export const run: Run<InvokeOptions> = async (context, [name = ""], options) => {
  const body = await readEvent(options.event, process.stdin);
  const query = options.qualifier ? `?Qualifier=${encodeURIComponent(options.qualifier)}` : "";
  const answer = await context.client().send({
    service: "lambda",
    method: "POST",
    path: functionPath(name, `/invocations${query}`),
    headers: { "x-amz-invocation-type": "RequestResponse", "x-amz-log-type": "Tail" },
    body,
  });
  const tail = Buffer.from(String(answer.headers["x-amz-log-result"] ?? ""), "base64").toString("utf8");
  const failed = answer.headers["x-amz-function-error"] !== undefined;
  print(context, { name, payload: answer.body, tail, failed, showTail: options.tail === true });
  return failed ? "functionFailed" : undefined;
};

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
  if (ended.showTail) for (const line of ended.tail.trimEnd().split("\n")) output.note(output.paint("dim", `  ${line}`));
  if (ended.failed) printError(output, text);
  else {
    output.raw(ended.payload);
    output.line("");
  }
  if (report) output.note(`  ${summarise(report, formatMs)}`);
  if (ended.failed) output.note(`  \`lambent logs ${ended.name}\` has what it logged.`);
}

function printError(output: CommandContext["output"], payload: string): void {
  const { type, message, stack } = parseFunctionError(payload);
  output.note(`  ${output.paint("red", type)}: ${message}`);
  for (const line of stack) output.note(output.paint("dim", `    ${line.trim()}`));
}

function parsedOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
