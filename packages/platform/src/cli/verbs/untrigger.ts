import { type AnyTrigger, listAllTriggers, removeAnyTrigger, sourceText } from "../all-triggers.ts";
import type { Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";

interface UntriggerOptions {
  readonly queue?: string;
  readonly rule?: string;
  readonly bus?: string;
  readonly schedule?: string;
}

/** `lambent untrigger <function>`: the queue and its messages stay, and so do the bus and a rule with other targets. */
export const run: Run<UntriggerOptions> = async ({ output, client }, [functionName = ""], options) => {
  const found = (await listAllTriggers(client(), functionName)).filter((trigger) => isAsked(trigger, options));
  if (found.length === 0)
    throw new CommandFailure(
      "notFound",
      `${functionName} has no trigger${askedText(options)}.`,
      `\`lambent triggers ${functionName}\` shows what there is.`,
    );
  const removed: { readonly trigger: AnyTrigger; readonly beside: string }[] = [];
  for (const trigger of found) removed.push({ trigger, beside: await removeAnyTrigger(client(), trigger) });
  if (output.json) return output.data({ Removed: removed.map(({ trigger }) => nameOf(trigger)) });
  for (const { trigger, beside } of removed) output.line(`  ${plainName(trigger)} → ${trigger.functionName}   removed${beside}`);
};

/** Without an option, every trigger is. */
function isAsked(trigger: AnyTrigger, { queue, rule, bus, schedule }: UntriggerOptions): boolean {
  if (queue === undefined && rule === undefined && bus === undefined && schedule === undefined) return true;
  switch (trigger.kind) {
    case "queue":
      return trigger.queue === queue;
    case "rule": {
      const { Name, EventBusName } = trigger.rule.rule;
      if (rule === undefined) return bus === EventBusName;
      return rule === Name && (bus === undefined || bus === EventBusName);
    }
    case "schedule":
      return trigger.schedule.Name === schedule;
  }
}

function askedText({ queue, rule, bus, schedule }: UntriggerOptions): string {
  if (queue !== undefined) return ` of queue ${queue}`;
  if (schedule !== undefined) return ` by schedule ${schedule}`;
  if (rule !== undefined) return ` by rule ${rule}${bus === undefined ? "" : ` of bus ${bus}`}`;
  return bus === undefined ? "" : ` by a rule of bus ${bus}`;
}

/** What names it to AWS's operations. */
function nameOf(trigger: AnyTrigger): string {
  return trigger.kind === "queue" ? trigger.mapping.UUID : trigger.kind === "rule" ? trigger.rule.rule.Arn : trigger.schedule.Name;
}

function plainName(trigger: AnyTrigger): string {
  return trigger.kind === "queue" ? trigger.queue : sourceText(trigger);
}
