import type { Client } from "./client.ts";
import { orMissing } from "./event-api.ts";
import { functionPath } from "./lambda-api.ts";

/** That a rule may call a function: statements of the function's policy. */

interface Statement {
  readonly Sid: string;
  readonly Condition?: { readonly ArnLike?: Readonly<Record<string, string>> };
}

/** A function, or a version or an alias of it. */
export interface FunctionName {
  readonly name: string;
  readonly qualifier: string | undefined;
}

/** `hello` or `hello:live`. */
export function functionNameOf(text: string): FunctionName {
  const [name = "", qualifier] = text.split(":");
  return { name, qualifier };
}

/** Allows the rule to call the function; false when it was allowed before. */
export async function allowRule(
  client: Client,
  of: FunctionName,
  bus: string,
  rule: { readonly name: string; readonly arn: string },
): Promise<boolean> {
  if ((await statementsFor(client, of, rule.arn)).length > 0) return false;
  const permissionId = await permissionIdOf();
  await client.json({
    service: "lambda",
    method: "POST",
    path: policyPath(of),
    body: {
      StatementId: permissionId(bus, rule.name),
      Action: "lambda:InvokeFunction",
      Principal: "events.amazonaws.com",
      SourceArn: rule.arn,
    },
  });
  return true;
}

/** Takes back what `allowRule` gave; statements of somebody else stay. */
export async function disallowRule(
  client: Client,
  of: FunctionName,
  bus: string,
  rule: { readonly name: string; readonly arn: string },
): Promise<void> {
  const permissionId = await permissionIdOf();
  for (const { Sid } of await statementsFor(client, of, rule.arn))
    if (Sid === permissionId(bus, rule.name)) await client.send({ service: "lambda", method: "DELETE", path: policyPath(of, `/${Sid}`) });
}

/** Loaded when a permission is given or taken: it comes with much that a list of triggers does not need. */
async function permissionIdOf(): Promise<(bus: string, rule: string) => string> {
  return (await import("../apps/index.ts")).rulePermissionId;
}

async function statementsFor(client: Client, of: FunctionName, ruleArn: string): Promise<readonly Statement[]> {
  const answer = await orMissing(client.json<{ readonly Policy: string }>({ service: "lambda", method: "GET", path: policyPath(of) }));
  const { Statement: statements = [] } = answer ? (JSON.parse(answer.Policy) as { readonly Statement?: readonly Statement[] }) : {};
  return statements.filter(({ Condition }) => Condition?.ArnLike?.["AWS:SourceArn"] === ruleArn);
}

function policyPath({ name, qualifier }: FunctionName, rest = ""): string {
  return functionPath(name, `/policy${rest}${qualifier === undefined ? "" : `?Qualifier=${encodeURIComponent(qualifier)}`}`);
}
