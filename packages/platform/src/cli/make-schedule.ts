import { guessedScheduleName, readCron, readEvery, type ScheduleReading, zoneFault } from "../apps/index.ts";
import type { Client } from "./client.ts";
import { CommandFailure } from "./errors.ts";
import { createSchedule, findSchedule, type ScheduleShape, updateSchedule } from "./schedule-api.ts";

export interface WantedSchedule {
  readonly functionName: string;
  readonly functionArn: string;
  readonly roleArn: string;
  readonly expression: string;
  /** Undefined: as it is, or UTC. */
  readonly timezone: string | undefined;
  /** JSON text; undefined: as it is, or a notification that names the schedule. */
  readonly input: string | undefined;
  /** Undefined: it is guessed. */
  readonly name: string | undefined;
}

export interface MadeSchedule {
  readonly schedule: ScheduleShape;
  readonly is: "created" | "changed" | "is there already";
}

/** Makes the schedule, or changes what was asked for otherwise. */
export async function makeSchedule(client: Client, wanted: WantedSchedule): Promise<MadeSchedule> {
  const { functionName, functionArn, roleArn, expression, timezone, input } = wanted;
  const name = wanted.name ?? guessedScheduleName(functionName.replaceAll(":", "-"), expression);
  const known = await findSchedule(client, name);
  if (known && known.Target.Arn !== functionArn)
    throw new CommandFailure("usage", `Schedule ${name} calls ${known.Target.Arn}.`, "Give yours another name with --name.");
  const schedule: ScheduleShape = {
    ...known,
    Name: name,
    ScheduleExpression: expression,
    ScheduleExpressionTimezone: timezone ?? known?.ScheduleExpressionTimezone ?? "UTC",
    FlexibleTimeWindow: known?.FlexibleTimeWindow ?? { Mode: "OFF" },
    Target: { ...known?.Target, Arn: functionArn, RoleArn: roleArn, ...(input === undefined ? {} : { Input: input }) },
  };
  if (!known) await timed(createSchedule(client, schedule));
  else if (isOther(known, schedule)) await timed(updateSchedule(client, schedule));
  else return { schedule, is: "is there already" };
  return { schedule, is: known ? "changed" : "created" };
}

/** What was read as an expression here and is refused there has no time to come. */
async function timed(made: Promise<unknown>): Promise<void> {
  try {
    await made;
  } catch (error) {
    if (!(error instanceof CommandFailure) || !error.message.startsWith("Invalid Schedule Expression")) throw error;
    throw new CommandFailure(error.exit, error.message, "Choose a time that is yet to come: it is past, or clocks skip it.");
  }
}

/** What `--every` or `--cron` was given, in AWS's form. */
export function readExpression(options: { readonly every?: string; readonly cron?: string }): string {
  const reading = options.every === undefined ? readCron(options.cron ?? "") : readEvery(options.every);
  return expressionOf(reading, options.every === undefined ? "--cron" : "--every");
}

/** Refuses what is no time zone. */
export function readTimezone(zone: string | undefined): string | undefined {
  const fault = zone === undefined ? undefined : zoneFault(zone);
  if (fault !== undefined) throw new CommandFailure("usage", `--timezone ${fault}`, "For example --timezone Europe/Berlin");
  return zone;
}

function expressionOf(reading: ScheduleReading, option: string): string {
  if (reading.kind === "read") return reading.expression;
  throw new CommandFailure("usage", `${option} ${reading.why}`, reading.next);
}

function isOther(known: ScheduleShape, wanted: ScheduleShape): boolean {
  const facts = ({ ScheduleExpression, ScheduleExpressionTimezone, Target }: ScheduleShape): string =>
    JSON.stringify([ScheduleExpression, ScheduleExpressionTimezone, Target.RoleArn, Target.Input]);
  return facts(known) !== facts(wanted);
}
