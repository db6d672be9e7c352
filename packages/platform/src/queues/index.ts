/** Queues: standard and FIFO, with their messages, dead-letter queues and moves. */
export { openQueues, QUEUE_TAGS_MAX, Queues } from "./queues.ts";
export type { QueuesOptions } from "./queues.ts";
export type { DeadLetters } from "./deliverer.ts";
export { Queue, RECEIVE_MESSAGES_MAX } from "./queue.ts";
export type { ReceivedMessage, ReceiveRequest, SendOutcome } from "./queue.ts";
export { messageBytes } from "./message.ts";
export type { MessageAttribute, NewMessage, StoredMessage } from "./message.ts";
export { parseQueueArn, queueArn } from "./names.ts";
export type { QueueRecord } from "./registry.ts";
export { DEFAULT_QUEUE_SETTINGS, MESSAGE_BYTES_MAX } from "./settings.ts";
export type { QueueSettings, Redrive, RedriveAllow } from "./settings.ts";
export { MOVE_TASKS_LISTED_MAX } from "./move-task.ts";
export type { MoveTask } from "./move-task.ts";
