import type {
  CancelMessageMoveTaskRequest,
  CancelMessageMoveTaskResult,
  ListMessageMoveTasksRequest,
  ListMessageMoveTasksResult,
  ListMessageMoveTasksResultEntry,
  StartMessageMoveTaskRequest,
  StartMessageMoveTaskResult,
} from "@aws-sdk/client-sqs";
import { LambentError } from "../../base/index.ts";
import { MOVE_TASKS_LISTED_MAX, type MoveTask, type Queues } from "../../queues/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";

const HANDLE_CHARS_MAX = 1_024;

/** Moves out of dead-letter queues. @see SQS API reference */
export function moveTaskOperations(queues: Queues) {
  return {
    async StartMessageMoveTask(input: StartMessageMoveTaskRequest, context: RequestContext): Promise<StartMessageMoveTaskResult> {
      const task = await queues.tasks.start(context.realm, {
        source: given(input.SourceArn, "SourceArn"),
        destination: input.DestinationArn,
        messagesPerSecond: input.MaxNumberOfMessagesPerSecond,
      });
      return { TaskHandle: handleOf(task) };
    },

    async CancelMessageMoveTask(input: CancelMessageMoveTaskRequest, context: RequestContext): Promise<CancelMessageMoveTaskResult> {
      const { id } = readTaskHandle(given(input.TaskHandle, "TaskHandle"));
      const { moved } = await queues.tasks.cancel(context.realm, id);
      return { ApproximateNumberOfMessagesMoved: moved };
    },

    ListMessageMoveTasks(input: ListMessageMoveTasksRequest, context: RequestContext): ListMessageMoveTasksResult {
      const { MaxResults: max = 1 } = input;
      if (!(max >= 1 && max <= MOVE_TASKS_LISTED_MAX))
        throw new LambentError(
          "InvalidParameter",
          `Value ${max} for parameter MaxResults is invalid. Reason: It is 1 to ${MOVE_TASKS_LISTED_MAX}.`,
        );
      const tasks = queues.tasks.list(context.realm, given(input.SourceArn, "SourceArn"), max);
      return tasks.length === 0 ? {} : { Results: tasks.map(taskShape) };
    },
  };
}

/** The task and its queue, so that who may cancel is known from the handle alone. */
function handleOf({ id, source }: MoveTask): string {
  return Buffer.from(JSON.stringify({ taskId: id, sourceArn: source })).toString("base64");
}

export function readTaskHandle(handle: string): { readonly id: string; readonly source: string } {
  try {
    const { taskId, sourceArn } = JSON.parse(Buffer.from(handle.slice(0, HANDLE_CHARS_MAX), "base64").toString("utf8")) as Record<
      string,
      unknown
    >;
    if (typeof taskId === "string" && typeof sourceArn === "string") return { id: taskId, source: sourceArn };
  } catch {
    // Falls through: what is not JSON is no handle.
  }
  throw new LambentError(
    "InvalidParameter",
    `Value ${handle.slice(0, 80)} for parameter TaskHandle is invalid. Reason: It is none that StartMessageMoveTask gave.`,
  );
}

const STATUS: Readonly<Record<MoveTask["status"]["kind"], string>> = {
  running: "RUNNING",
  completed: "COMPLETED",
  cancelled: "CANCELLED",
  failed: "FAILED",
};

function taskShape(task: MoveTask): ListMessageMoveTasksResultEntry {
  const { status, destination, messagesPerSecond } = task;
  return {
    // Only a task that can be cancelled has a handle.
    ...(status.kind === "running" ? { TaskHandle: handleOf(task) } : {}),
    Status: STATUS[status.kind],
    SourceArn: task.source,
    ...(destination === undefined ? {} : { DestinationArn: destination }),
    ...(messagesPerSecond === undefined ? {} : { MaxNumberOfMessagesPerSecond: messagesPerSecond }),
    ApproximateNumberOfMessagesMoved: task.moved,
    ApproximateNumberOfMessagesToMove: task.toMove,
    ...(status.kind === "failed" ? { FailureReason: status.why } : {}),
    StartedTimestamp: task.startedAt,
  };
}
