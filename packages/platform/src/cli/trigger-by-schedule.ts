import type { CommandContext } from "./command.ts";
import { CommandFailure } from "./errors.ts";
import { readName } from "./event-names.ts";
import { functionNameOf } from "./function-permission.ts";
import { getFunction } from "./lambda-api.ts";
import { makeSchedule, readExpression, readTimezone } from "./make-schedule.ts";
import { scheduleText } from "./schedule-triggers.ts";

export interface ScheduleTriggerOptions {
  readonly every?: string;
  readonly cron?: string;
  readonly timezone?: string;
  readonly input?: string;
  readonly name?: string;
}

/** `lambent trigger <function> --every <period>` or `--cron <expression>`: a schedule that calls it in the name of its own role. */
export async function triggerBySchedule(
  { output, client }: CommandContext,
  functionName: string,
  options: ScheduleTriggerOptions,
): Promise<void> {
  const expression = readExpression(options);
  const timezone = readTimezone(options.timezone);
  const input = readInput(options.input);
  const scheduleName = readName(options.name);
  const { name, qualifier } = functionNameOf(functionName);
  const { Configuration } = await getFunction(client(), name, qualifier);
  const { schedule, is } = await makeSchedule(client(), {
    ...{ functionName, functionArn: Configuration.FunctionArn, roleArn: Configuration.Role ?? "" },
    ...{ expression, timezone, input, name: scheduleName },
  });
  if (output.json) return output.data({ Schedule: schedule, Created: is === "created" });
  const guessed = scheduleName === undefined ? " (guessed)" : "";
  output.line(`  schedule  ${schedule.Name}${guessed} → ${functionName}   ${is}: ${scheduleText(schedule)}${readAs(options, expression)}`);
}

/** A crontab's line is shown beside what became of it. */
function readAs({ cron }: ScheduleTriggerOptions, expression: string): string {
  return cron === undefined || cron === expression || `cron(${cron})` === expression
    ? ""
    : `   (read from the crontab's ${JSON.stringify(cron)})`;
}

function readInput(input: string | undefined): string | undefined {
  if (input === undefined) return undefined;
  try {
    return JSON.stringify(JSON.parse(input));
  } catch (error) {
    throw new CommandFailure(
      "usage",
      `--input is not JSON: ${(error as Error).message.replaceAll(/\s+/gu, " ")}.`,
      `Quote it for the shell: --input '{"kind":"nightly"}'`,
    );
  }
}
