import type { AddPermissionRequest, RemovePermissionRequest } from "@aws-sdk/client-sqs";
import { LambentError } from "../../base/index.ts";
import { queueArn, type Queues, type QueueSettings } from "../../queues/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { withAttributes } from "./attributes.ts";
import { queueOfUrl } from "./names.ts";

/** What others can be given leave for; the rest is the owner's alone. */
const SHARED_ACTIONS: ReadonlySet<string> = new Set([
  "*",
  "SendMessage",
  "ReceiveMessage",
  "DeleteMessage",
  "ChangeMessageVisibility",
  "GetQueueAttributes",
  "GetQueueUrl",
  "ListDeadLetterSourceQueues",
  "PurgeQueue",
]);
/** Actions of one permission. @limit */
export const PERMISSION_ACTIONS_MAX = 7;
const LABEL = /^[A-Za-z0-9_-]{1,80}$/;

interface Document {
  readonly Statement?: Statement | readonly Statement[];
}
interface Statement {
  readonly Sid?: string;
  readonly Effect?: string;
  readonly Principal?: unknown;
  readonly Action?: unknown;
  readonly Resource?: unknown;
}

/** A queue's policy by statements, each under a label. @see SQS API reference, AddPermission */
export function permissionOperations(queues: Queues) {
  return {
    async AddPermission(input: AddPermissionRequest, context: RequestContext): Promise<void> {
      const { realm, name } = queueOfUrl(context, input.QueueUrl);
      const label = checkedLabel(input.Label);
      const statement = statementOf(input, label, queueArn(realm, name));
      await queues.update(realm, name, ({ settings, tags }) => {
        const { document, statements } = policyOf(settings);
        if (statements.some(({ Sid }) => Sid === label)) throw wrong("Label", label, "Already exists.");
        return {
          tags,
          settings: withPolicy(settings, {
            Version: "2012-10-17",
            Id: `${queueArn(realm, name)}/SQSDefaultPolicy`,
            ...document,
            Statement: [...statements, statement],
          }),
        };
      });
    },

    async RemovePermission(input: RemovePermissionRequest, context: RequestContext): Promise<void> {
      const { realm, name } = queueOfUrl(context, input.QueueUrl);
      const label = checkedLabel(input.Label);
      await queues.update(realm, name, ({ settings, tags }) => {
        const { document, statements } = policyOf(settings);
        const kept = statements.filter(({ Sid }) => Sid !== label);
        if (kept.length === statements.length) throw wrong("Label", label, "can't find label on existing policy");
        return { tags, settings: withPolicy(settings, kept.length === 0 ? undefined : { ...document, Statement: kept }) };
      });
    },
  };
}

function statementOf(input: AddPermissionRequest, label: string, arn: string): Statement {
  const accounts = given(input.AWSAccountIds, "AWSAccountIds");
  const actions = given(input.Actions, "Actions");
  for (const account of accounts) if (!/^\d{12}$/.test(account)) throw wrong("PrincipalId", account, "Unable to verify.");
  if (accounts.length === 0 || actions.length === 0) throw wrong("ActionName", "", "A permission has accounts and actions.");
  if (actions.length > PERMISSION_ACTIONS_MAX)
    throw new LambentError("LimitExceeded", `${actions.length} Actions were found, maximum allowed is ${PERMISSION_ACTIONS_MAX}.`);
  for (const action of actions)
    if (!SHARED_ACTIONS.has(action)) throw wrong("ActionName", `SQS:${action}`, "Only the queue owner is allowed to invoke this action.");
  const one = <T>(values: readonly T[]): T | readonly T[] => (values.length === 1 ? (values[0] as T) : values);
  return {
    Sid: label,
    Effect: "Allow",
    Principal: { AWS: one(accounts.map((account) => `arn:aws:iam::${account}:root`)) },
    Action: one(actions.map((action) => `SQS:${action}`)),
    Resource: arn,
  };
}

function policyOf({ policy }: QueueSettings): { readonly document: Document; readonly statements: readonly Statement[] } {
  const document = policy === undefined ? {} : (JSON.parse(policy) as Document);
  const { Statement: statement = [] } = document;
  return { document, statements: Array.isArray(statement) ? (statement as readonly Statement[]) : [statement as Statement] };
}

/** By the same way as the attribute: with its checks and bounds. */
function withPolicy(settings: QueueSettings, document: object | undefined): QueueSettings {
  return withAttributes(settings, { Policy: document === undefined ? "" : JSON.stringify(document) }).settings;
}

function checkedLabel(label: string | undefined): string {
  const text = given(label, "Label");
  if (!LABEL.test(text)) throw wrong("Label", text.slice(0, 80), "It has letters, digits, hyphens and underscores, 1 to 80 of them.");
  return text;
}

function wrong(member: string, value: string, why: string): LambentError {
  return new LambentError("InvalidParameter", `Value ${value.slice(0, 100)} for parameter ${member} is invalid. Reason: ${why}`);
}
