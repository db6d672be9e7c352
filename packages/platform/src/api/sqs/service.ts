/**
 * SQS as the gateway serves it, in its JSON form and in the query form of older clients. Owns shapes, digests, URLs and
 * the words for errors; `queues/` owns queues and their rules.
 */
import { queueArn, parseQueueArn, type Queues } from "../../queues/index.ts";
import type { Roles } from "../../security/index.ts";
import { loadService } from "../../wire/index.ts";
import type { OperationTable, RequestContext } from "../operation.ts";
import { principalId } from "../principal-id.ts";
import type { Permission, Service } from "../service.ts";
import { batchOperations } from "./batches.ts";
import { sqsWireError } from "./errors.ts";
import { messageOperations } from "./messages.ts";
import { moveTaskOperations, readTaskHandle } from "./move-tasks.ts";
import { queueOfUrl, type QueueReference, realmWith } from "./names.ts";
import { permissionOperations } from "./permissions.ts";
import { queueOperations, queueTagOperations } from "./queues.ts";

export interface SqsDependencies {
  readonly queues: Queues;
  readonly roles: Pick<Roles, "roleIdOf">;
}

/** SQS as the gateway serves it. */
export function sqsService(dependencies: SqsDependencies): Service {
  return {
    model: loadService("sqs"),
    operations: sqsOperations(dependencies),
    wireError: sqsWireError,
    permission: (operation, input, context) => permissionFor(dependencies.queues, operation, input, context),
  };
}

/** Every operation of SQS. */
export function sqsOperations({ queues, roles }: SqsDependencies) {
  const sender = ({ principal }: Pick<RequestContext, "principal">): string => principalId(principal, roles);
  return {
    ...queueOperations(queues),
    ...queueTagOperations(queues),
    ...messageOperations(queues, sender),
    ...batchOperations(queues, sender),
    ...moveTaskOperations(queues),
    ...permissionOperations(queues),
  } satisfies OperationTable;
}

/** A batch needs what its entries need. @see Service Authorization Reference, Amazon SQS */
const ACTIONS: Readonly<Record<string, string>> = {
  SendMessageBatch: "SendMessage",
  DeleteMessageBatch: "DeleteMessage",
  ChangeMessageVisibilityBatch: "ChangeMessageVisibility",
};

function permissionFor(queues: Queues, operation: string, input: Readonly<Record<string, unknown>>, context: RequestContext): Permission {
  const action = `sqs:${ACTIONS[operation] ?? operation}`;
  const found = referenceOf(operation, input, context);
  if (!found) return { action, resource: "*" };
  return { action, resource: queueArn(found.realm, found.name), resourcePolicy: queues.find(found.realm, found.name)?.settings.policy };
}

function referenceOf(operation: string, input: Readonly<Record<string, unknown>>, context: RequestContext): QueueReference | undefined {
  const text = (member: string): string | undefined => (typeof input[member] === "string" ? input[member] : undefined);
  const [url, name, arn, handle] = [text("QueueUrl"), text("QueueName"), text("SourceArn"), text("TaskHandle")];
  if (url !== undefined) return queueOfUrl(context, url);
  if (name !== undefined) return { realm: realmWith(context, text("QueueOwnerAWSAccountId")), name };
  if (operation === "ListQueues") return { realm: context.realm, name: "*" };
  return parseQueueArn(arn ?? (handle === undefined ? "" : readTaskHandle(handle).source));
}
