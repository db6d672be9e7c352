import type { Client } from "./client.ts";
import { orMissing } from "./event-api.ts";
import { functionPath } from "./lambda-api.ts";

/** That a rule or a bucket may call a function: statements of the function's policy. */

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

/** Who is to call a function: a rule, or a bucket. */
export interface AllowedCaller {
  readonly principal: "events.amazonaws.com" | "s3.amazonaws.com";
  readonly sourceArn: string;
  /** Where the ARN does not say whose it is. */
  readonly account?: string;
  /** The id of the statement. */
  readonly permissionId: string;
}

export async function ruleCaller(bus: string, rule: { readonly name: string; readonly arn: string }): Promise<AllowedCaller> {
  const { rulePermissionId } = await import("../apps/index.ts");
  return { principal: "events.amazonaws.com", sourceArn: rule.arn, permissionId: rulePermissionId(bus, rule.name) };
}

export async function bucketCaller(bucket: string, account: string): Promise<AllowedCaller> {
  // Loaded when a permission is given or taken: it comes with much that a list of triggers does not need.
  const { bucketPermissionId } = await import("../apps/index.ts");
  return { principal: "s3.amazonaws.com", sourceArn: `arn:aws:s3:::${bucket}`, account, permissionId: bucketPermissionId(bucket) };
}

/** Allows the caller to call the function; false when it was allowed before. */
export async function allowCaller(client: Client, of: FunctionName, caller: AllowedCaller): Promise<boolean> {
  const { permissionId, principal, sourceArn, account } = caller;
  if ((await statementsFor(client, of, sourceArn)).length > 0) return false;
  await client.json({
    service: "lambda",
    method: "POST",
    path: policyPath(of),
    body: {
      ...{ StatementId: permissionId, Action: "lambda:InvokeFunction", Principal: principal, SourceArn: sourceArn },
      SourceAccount: account,
    },
  });
  return true;
}

/** Takes back what `allowCaller` gave; statements of somebody else stay. */
export async function disallowCaller(client: Client, of: FunctionName, { permissionId, sourceArn }: AllowedCaller): Promise<void> {
  for (const { Sid } of await statementsFor(client, of, sourceArn))
    if (Sid === permissionId) await client.send({ service: "lambda", method: "DELETE", path: policyPath(of, `/${Sid}`) });
}

async function statementsFor(client: Client, of: FunctionName, sourceArn: string): Promise<readonly Statement[]> {
  const answer = await orMissing(client.json<{ readonly Policy: string }>({ service: "lambda", method: "GET", path: policyPath(of) }));
  const { Statement: statements = [] } = answer ? (JSON.parse(answer.Policy) as { readonly Statement?: readonly Statement[] }) : {};
  return statements.filter(({ Condition }) => Condition?.ArnLike?.["AWS:SourceArn"] === sourceArn);
}

function policyPath({ name, qualifier }: FunctionName, rest = ""): string {
  return functionPath(name, `/policy${rest}${qualifier === undefined ? "" : `?Qualifier=${encodeURIComponent(qualifier)}`}`);
}
