import { oneOf } from "./choices.ts";
import type { CommandContext } from "./command.ts";
import { readBus, readName } from "./event-names.ts";
import { functionNameOf } from "./function-permission.ts";
import { getFunction } from "./lambda-api.ts";
import { makeRule, type MadeRule } from "./make-rule.ts";
import { foreignFields, readPattern } from "./pattern-argument.ts";
import type { EventFormat } from "./rule-triggers.ts";
import { formatText } from "./trigger-lines.ts";

export interface EventTriggerOptions {
  readonly on?: string;
  readonly bus?: string;
  readonly format?: string;
  readonly name?: string;
  /** False with `--no-create`. */
  readonly create?: boolean;
}

/** `lambent trigger <function> --on <pattern>`. */
export async function triggerByEvents(
  { output, client }: CommandContext,
  functionName: string,
  options: EventTriggerOptions,
): Promise<void> {
  const format: EventFormat | undefined =
    options.format === undefined ? undefined : oneOf(options.format, "--format", ["aws", "cloudevent"]);
  const pattern = readPattern(options.on ?? "");
  const { create = true } = options;
  const [bus, ruleName] = [readBus(options.bus ?? "default"), readName(options.name)];
  const { name, qualifier } = functionNameOf(functionName);
  const { Configuration } = await getFunction(client(), name, qualifier);
  const made = await makeRule(client(), {
    ...{ functionName, functionArn: Configuration.FunctionArn, bus, pattern, format, name: ruleName, create },
  });
  if (output.json) return output.data(dataOf(made));
  const guessed = ruleName === undefined ? " (guessed)" : "";
  if (made.createdBus) output.line(`  bus       ${bus}   created`);
  output.line(`  rule      ${made.rule.Name}${guessed}   ${made.ruleIs} on bus ${bus}: ${pattern}`);
  if (made.permitted) output.line(`  allowed   rule ${made.rule.Name} may call ${functionName}`);
  output.line(`  trigger   ${made.rule.Name} → ${functionName}   ${made.targetIs}: ${formatText(made.target)}`);
  const foreign = foreignFields(pattern);
  if (foreign.length > 0)
    output.note(
      `  Events have no ${foreign.map((name) => JSON.stringify(name)).join(", ")} of their own: what is published is below "detail".`,
    );
}

function dataOf({ rule, target, createdBus, ruleIs, targetIs, permitted }: MadeRule): object {
  return {
    ...{ Rule: rule, Target: target, Created: targetIs === "created", CreatedRule: ruleIs === "created" },
    ...{ CreatedPermission: permitted, ...(createdBus ? { CreatedBus: rule.EventBusName } : {}) },
  };
}
