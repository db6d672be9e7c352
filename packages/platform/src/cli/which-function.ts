import type { Client } from "./client.ts";
import { orMissing } from "./event-api.ts";
import { functionNameOf } from "./function-permission.ts";
import { getFunction } from "./lambda-api.ts";
import { functionOf } from "./trigger-api.ts";

/** The function whose triggers are meant; nothing said: all functions. */
export interface WhichFunction {
  readonly name: string | undefined;
  /** Undefined when there is no such function, or none is named: what calls it may still be there. */
  readonly arn: string | undefined;
}

export async function whichFunction(client: Client, name: string | undefined): Promise<WhichFunction> {
  if (name === undefined) return { name, arn: undefined };
  const { name: plain, qualifier } = functionNameOf(name);
  return { name, arn: (await orMissing(getFunction(client, plain, qualifier)))?.Configuration.FunctionArn };
}

/** Whether what calls this ARN calls the function. */
export function isMeant({ name, arn }: WhichFunction, targetArn: string): boolean {
  if (arn !== undefined) return targetArn === arn;
  return /^arn:[^:]*:lambda:[^:]*:\d*:function:/u.test(targetArn) && (name === undefined || functionOf(targetArn) === name);
}
