import { delay, isLambentError, LambentError, type Clock, type SecureRandom } from "../base/index.ts";
import type { Realm } from "../model/index.ts";
import { MOVE_TASKS_LISTED_MAX, MOVES_PER_SECOND_MAX, type MoveStatus, type MoveTask } from "./move-task.ts";
import { parseQueueArn } from "./names.ts";
import type { Queue } from "./queue.ts";
import type { QueueRecord, QueueRegistry } from "./registry.ts";

/** Messages handed on in one step of a task without a rate. */
const STEP_MESSAGES_MAX = 100;
/** After a refusal that passes. */
const RETRY_MS = 1_000;

interface MoveTaskParts {
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly onProblem: (error: unknown) => void;
  readonly queues: {
    queue(realm: Realm, name: string): Promise<Queue>;
    find(realm: Realm, name: string): QueueRecord | undefined;
    sources(realm: Realm, name: string): readonly QueueRecord[];
  };
  readonly registry: (realm: Realm) => QueueRegistry;
}

/** Messages of dead-letter queues go back where they came from, or to another queue. Tasks survive a restart. */
export class MoveTasks {
  readonly #parts: MoveTaskParts;
  #closed = false;

  constructor(parts: MoveTaskParts) {
    this.#parts = parts;
  }

  /** Starts moving; one task of a queue at a time. */
  async start(realm: Realm, request: Pick<MoveTask, "source" | "destination" | "messagesPerSecond">): Promise<MoveTask> {
    const { queues, registry, clock, secureRandom } = this.#parts;
    const { source, destination, messagesPerSecond } = request;
    const name = this.#requireQueue(realm, source, "SourceArn");
    if (queues.sources(realm, name).length === 0)
      throw new LambentError("InvalidParameter", "Source queue must be configured as a Dead Letter Queue.");
    if (destination === source) throw new LambentError("InvalidParameter", "Source queue and destination queue cannot be the same.");
    if (destination !== undefined) this.#requireQueue(realm, destination, "DestinationArn");
    if (messagesPerSecond !== undefined && !(messagesPerSecond >= 1 && messagesPerSecond <= MOVES_PER_SECOND_MAX))
      throw new LambentError(
        "InvalidParameter",
        `Value ${messagesPerSecond} for parameter MaxNumberOfMessagesPerSecond is invalid. Reason: You must enter a value that is between 1 and ${MOVES_PER_SECOND_MAX}.`,
      );
    const queue = await queues.queue(realm, name);
    const held = registry(realm);
    return held.changes.take(async () => {
      const own = tasksOf(held, source);
      if (own.some(({ status }) => status.kind === "running"))
        throw new LambentError(
          "InvalidParameter",
          "There is already a task running. Only one active task is allowed for a source queue arn at a given time.",
        );
      const { visible, delayed } = queue.list.counts();
      const task: MoveTask = {
        ...request,
        id: secureRandom.uuid(),
        startedAt: clock.now(),
        toMove: visible + delayed,
        moved: 0,
        status: { kind: "running" },
      };
      await held.putTask(task);
      await held.removeTasks(own.slice(MOVE_TASKS_LISTED_MAX - 1).map(({ id }) => id));
      void this.#run(held, task.id);
      return task;
    });
  }

  /** Ends a running task; what was moved stays moved. */
  cancel(realm: Realm, id: string): Promise<MoveTask> {
    const held = this.#parts.registry(realm);
    return held.changes.take(async () => {
      const task = held.tasks.get(id);
      if (!task) throw new LambentError("NotFound", "Task does not exist.", { resource: id });
      if (task.status.kind !== "running") throw new LambentError("UnsupportedOperation", "Only active tasks can be cancelled.");
      const cancelled: MoveTask = { ...task, status: { kind: "cancelled" } };
      await held.putTask(cancelled);
      return cancelled;
    });
  }

  /** The newest tasks of a queue, the last one first. */
  list(realm: Realm, source: string, max: number): MoveTask[] {
    this.#requireQueue(realm, source, "SourceArn");
    return tasksOf(this.#parts.registry(realm), source).slice(0, max);
  }

  /** Goes on with what ran before a restart. */
  resume(registry: QueueRegistry): void {
    for (const { id, status } of registry.tasks.values()) if (status.kind === "running") void this.#run(registry, id);
  }

  close(): void {
    this.#closed = true;
  }

  #requireQueue(realm: Realm, arn: string, member: string): string {
    const reference = parseQueueArn(arn);
    if (!reference)
      throw new LambentError("InvalidParameter", `${member} is ${JSON.stringify(arn.slice(0, 200))}; it is the ARN of a queue.`);
    const here = reference.realm.account === realm.account && reference.realm.region === realm.region;
    if (!here || !this.#parts.queues.find(realm, reference.name))
      throw new LambentError("NotFound", `The resource that you specified for the ${member} parameter doesn't exist.`, { resource: arn });
    return reference.name;
  }

  async #run(registry: QueueRegistry, id: string): Promise<void> {
    for (;;) {
      const outcome = await this.#tryStep(registry, id);
      if (outcome === "over") return;
      if (outcome === "later") await delay(this.#parts.clock, RETRY_MS);
    }
  }

  async #tryStep(registry: QueueRegistry, id: string): Promise<"again" | "later" | "over"> {
    try {
      return !this.#closed && (await this.#step(registry, id)) ? "again" : "over";
    } catch (error) {
      if (this.#closed || isLambentError(error, "StorageStopped")) return "over";
      // A queue that is deleted meanwhile shuts down, and the next look finds it gone.
      if (isLambentError(error) && (error.entry.retryable || error.code === "ShuttingDown")) return "later";
      if (!isLambentError(error)) this.#parts.onProblem(error);
      const why = isLambentError(error) ? error.code : "InternalError";
      await this.#progress(registry, id, 0, { kind: "failed", why }).catch(() => undefined);
      return "over";
    }
  }

  async #step(registry: QueueRegistry, id: string): Promise<boolean> {
    const task = registry.tasks.get(id);
    if (task?.status.kind !== "running") return false;
    const { name = "" } = parseQueueArn(task.source) ?? {};
    const queue = await this.#parts.queues.queue(registry.realm, name);
    const max = Math.min(task.toMove - task.moved, task.messagesPerSecond ?? STEP_MESSAGES_MAX, STEP_MESSAGES_MAX);
    const target = task.destination === undefined ? "origin" : `move:${task.destination}`;
    const moved = max > 0 ? await queue.list.sendOn(max, target) : 0;
    await this.#progress(registry, id, moved, moved === 0 ? { kind: "completed" } : { kind: "running" });
    if (task.messagesPerSecond !== undefined) await delay(this.#parts.clock, (1_000 * moved) / task.messagesPerSecond);
    return moved > 0;
  }

  /** A task that was cancelled meanwhile stays so; what it moved counts. */
  #progress(registry: QueueRegistry, id: string, moved: number, status: MoveStatus): Promise<void> {
    return registry.changes.take(async () => {
      const task = registry.tasks.get(id);
      if (!task) return;
      await registry.putTask({ ...task, moved: task.moved + moved, status: task.status.kind === "running" ? status : task.status });
    });
  }
}

function tasksOf(registry: QueueRegistry, source: string): MoveTask[] {
  return [...registry.tasks.values()].filter((task) => task.source === source).sort((left, right) => right.startedAt - left.startedAt);
}
