/**
 * SNS as the gateway serves it. Owns shapes, texts of attributes and the words for errors; `topics/` owns topics and their rules. Text messages,
 * mobile applications and data protection are not built: their operations answer 501 with their name.
 */
import { topicArn, type TopicReference, type Topics } from "../../topics/index.ts";
import { loadService } from "../../wire/index.ts";
import type { OperationTable, RequestContext } from "../operation.ts";
import type { Permission, Service } from "../service.ts";
import { snsWireError } from "./errors.ts";
import { messageOperations, targetOf } from "./messages.ts";
import { subscriptionOf, topicOf } from "./names.ts";
import { permissionOperations } from "./permissions.ts";
import { subscriptionOperations } from "./subscriptions.ts";
import { topicOperations, topicTagOperations } from "./topics.ts";

/** What the links in messages do: whoever has the address has the token, or the subscription's own name. */
const LINKED: ReadonlySet<string> = new Set(["ConfirmSubscription", "Unsubscribe"]);

/** SNS as the gateway serves it. */
export function snsService(topics: Topics): Service {
  return {
    model: loadService("sns"),
    operations: snsOperations(topics),
    wireError: snsWireError,
    unsigned: LINKED,
    permission: (operation, input, context) => permissionFor(topics, operation, input, context),
  };
}

/** Every operation of SNS that is built. */
export function snsOperations(topics: Topics) {
  return {
    ...topicOperations(topics),
    ...topicTagOperations(topics),
    ...subscriptionOperations(topics),
    ...messageOperations(topics),
    ...permissionOperations(topics),
  } satisfies OperationTable;
}

/** A batch needs what its entries need. @see Service Authorization Reference, Amazon SNS */
function permissionFor(
  topics: Topics,
  operation: string,
  input: Readonly<Record<string, unknown>>,
  context: RequestContext,
): Permission | undefined {
  if (context.principal.kind === "anonymous" && LINKED.has(operation)) return undefined;
  const action = `sns:${operation === "PublishBatch" ? "Publish" : operation}`;
  const found = referenceOf(operation, input, context);
  if (!found) return { action, resource: "*" };
  const { realm, name } = found;
  return { action, resource: topicArn(realm, name), resourcePolicy: topics.find(realm, name)?.settings.policy };
}

/** The topic that a call is about, also where it names one of its subscriptions. */
function referenceOf(operation: string, input: Readonly<Record<string, unknown>>, context: RequestContext): TopicReference | undefined {
  const text = (member: string): string | undefined => (typeof input[member] === "string" ? input[member] : undefined);
  if (operation === "Publish" && text("PhoneNumber") === undefined)
    return topicOf(context, targetOf({ TopicArn: text("TopicArn"), TargetArn: text("TargetArn") }));
  if (text("TopicArn") !== undefined) return topicOf(context, text("TopicArn"));
  if (text("ResourceArn") !== undefined) return topicOf(context, text("ResourceArn"), "ResourceArn");
  if (text("SubscriptionArn") !== undefined) return subscriptionOf(context, text("SubscriptionArn"));
  const name = operation === "CreateTopic" ? text("Name") : undefined;
  if (name !== undefined) return { realm: context.realm, name };
  return operation === "ListTopics" || operation === "ListSubscriptions" ? { realm: context.realm, name: "*" } : undefined;
}
