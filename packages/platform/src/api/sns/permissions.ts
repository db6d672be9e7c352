import type { AddPermissionInput, RemovePermissionInput } from "@aws-sdk/client-sns";
import { invalid, topicArn, type TopicReference, type Topics, type TopicSettings } from "../../topics/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { topicOf } from "./names.ts";
import { defaultPolicy } from "./topic-attributes.ts";

/** What others can be given leave for; the rest is the owner's alone. */
const SHARED_ACTIONS: ReadonlySet<string> = new Set([
  "Publish",
  "Subscribe",
  "ListSubscriptionsByTopic",
  "GetTopicAttributes",
  "SetTopicAttributes",
  "AddPermission",
  "RemovePermission",
  "DeleteTopic",
]);
/** Accounts and actions of one permission. @limit */
export const TOPIC_PERMISSION_ENTRIES_MAX = 20;
const LABEL = /^[A-Za-z0-9_-]{1,80}$/;

interface Document {
  readonly Statement?: Statement | readonly Statement[];
}
interface Statement {
  readonly Sid?: string;
}

/** A topic's policy by statements, each under a label. @see SNS API reference, AddPermission */
export function permissionOperations(topics: Topics) {
  return {
    async AddPermission(input: AddPermissionInput, context: RequestContext): Promise<void> {
      const topic = topicOf(context, input.TopicArn);
      const label = checkedLabel(input.Label);
      const statement = statementOf(input, label, topicArn(topic.realm, topic.name));
      await topics.update(topic.realm, topic.name, ({ settings, tags }) => {
        const { document, statements } = policyOf(topic, settings);
        if (statements.some(({ Sid }) => Sid === label)) throw invalid("Statement already exists");
        return { tags, settings: { ...settings, policy: JSON.stringify({ ...document, Statement: [...statements, statement] }) } };
      });
    },

    async RemovePermission(input: RemovePermissionInput, context: RequestContext): Promise<void> {
      const topic = topicOf(context, input.TopicArn);
      const label = checkedLabel(input.Label);
      await topics.update(topic.realm, topic.name, ({ settings, tags }) => {
        const { document, statements } = policyOf(topic, settings);
        const kept = statements.filter(({ Sid }) => Sid !== label);
        if (kept.length === statements.length) throw invalid(`Label Reason: there is no statement ${label}`);
        const policy = kept.length === 0 ? undefined : JSON.stringify({ ...document, Statement: kept });
        return { tags, settings: { ...settings, policy } };
      });
    },
  };
}

function statementOf(input: AddPermissionInput, label: string, arn: string): object {
  const accounts = given(input.AWSAccountId, "AWSAccountId");
  const actions = given(input.ActionName, "ActionName");
  if (accounts.length === 0 || actions.length === 0) throw invalid("ActionName Reason: a permission has accounts and actions");
  if (accounts.length > TOPIC_PERMISSION_ENTRIES_MAX || actions.length > TOPIC_PERMISSION_ENTRIES_MAX)
    throw invalid(`ActionName Reason: a permission has at most ${TOPIC_PERMISSION_ENTRIES_MAX} accounts and actions`);
  for (const account of accounts)
    if (!/^\d{12}$/.test(account)) throw invalid(`AWSAccountId Reason: ${account.slice(0, 100)} is not an account of twelve digits`);
  for (const action of actions) if (!SHARED_ACTIONS.has(action)) throw invalid("Policy statement action out of service scope!");
  const one = <T>(values: readonly T[]): T | readonly T[] => (values.length === 1 ? (values[0] as T) : values);
  return {
    Sid: label,
    Effect: "Allow",
    Principal: { AWS: one(accounts.map((account) => `arn:aws:iam::${account}:root`)) },
    Action: one(actions.map((action) => `SNS:${action}`)),
    Resource: arn,
  };
}

function policyOf(
  { realm, name }: TopicReference,
  { policy }: TopicSettings,
): { readonly document: Document; readonly statements: readonly Statement[] } {
  const document = JSON.parse(policy ?? defaultPolicy(realm, name)) as Document;
  const { Statement: statement = [] } = document;
  return { document, statements: Array.isArray(statement) ? (statement as readonly Statement[]) : [statement as Statement] };
}

function checkedLabel(label: string | undefined): string {
  const text = given(label, "Label");
  if (!LABEL.test(text)) throw invalid("Label Reason: it has letters, digits, hyphens and underscores, 1 to 80 of them");
  return text;
}
