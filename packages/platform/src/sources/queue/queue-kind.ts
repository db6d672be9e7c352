/** Queues as sources: what a mapping of one may be set to, and its poller. */
import { isLambentError, LambentError, type Clock, type SecureRandom } from "../../base/index.ts";
import { functionArn, type Functions } from "../../functions/index.ts";
import type { Invoker } from "../../invoker/index.ts";
import { LedgerRows } from "../../ledger/index.ts";
import type { FunctionVersion, Realm } from "../../model/index.ts";
import { type DeadLetters, type Queue, queueArn, type Queues } from "../../queues/index.ts";
import type { WorkList } from "../../storage/index.ts";
import type { Mapping, QueueMapping, QueueSource } from "../mappings/mapping.ts";
import { checkMappingSettings } from "../mappings/mapping-rules.ts";
import type { Draft, Reader, SourceKind } from "../mappings/source-kind.ts";
import type { Target } from "./batch-run.ts";
import { compileFilters } from "./filter.ts";
import { HeldBytes } from "./held-bytes.ts";
import { Holds } from "./holds.ts";
import { noteDeadLettered } from "./outcomes.ts";
import { CONCURRENT_BATCHES_MAX } from "./poller-machine.ts";
import { type PollerSettings, type QueueDesk, QueuePoller } from "./queue-poller.ts";

export interface QueueKindParts {
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly queues: Queues;
  readonly functions: Pick<Functions, "reading">;
  readonly invoker: Pick<Invoker, "invoke" | "free" | "onceFree">;
  readonly onProblem: (error: unknown) => void;
  /** Whether the version's role may take messages out of the queue. */
  readonly mayRead: (version: FunctionVersion, queue: { readonly arn: string; readonly policy: string | undefined }) => boolean;
  /** How the last batch of a mapping went: `undefined` problem means well. */
  readonly onResult: (uuid: string, problem: string | undefined) => void;
  /** All mappings of a realm, of whatever kind. */
  readonly mappings: (realm: Realm) => Iterable<Mapping>;
}

interface QueueDraft extends Draft {
  readonly source: Pick<QueueSource, "kind" | "name">;
  readonly settings: QueueMapping["settings"];
}

export class QueueKind implements SourceKind {
  readonly #parts: QueueKindParts;
  /** One a queue, however many mappings read it: its cell has one owner. */
  readonly #desks = new WeakMap<WorkList, Promise<QueueDesk>>();
  readonly #heldBytes = new HeldBytes();

  constructor(parts: QueueKindParts) {
    this.#parts = parts;
    parts.queues.onDeadLettered((letters) => this.#noteDeadLettered(letters));
  }

  async admit(realm: Realm, { functionName, qualifier, source, settings }: QueueDraft): Promise<QueueSource> {
    const { functions, queues, mayRead } = this.#parts;
    const { version } = functions.reading.get(realm, functionName, qualifier);
    const queue = queues.find(realm, source.name);
    if (!queue)
      throw new LambentError(
        "InvalidParameter",
        "Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist.",
      );
    checkMappingSettings(settings, queue, version.timeoutMs);
    if (!mayRead(version, { arn: queueArn(realm, queue.name), policy: queue.settings.policy }))
      throw new LambentError("InvalidParameter", "The function execution role does not have permissions to call ReceiveMessage on SQS");
    return { kind: "queue", name: queue.name, ordering: queue.settings.kind };
  }

  isSame(left: QueueSource, right: QueueSource): boolean {
    return left.name === right.name;
  }

  alreadyThere(realm: Realm, { uuid, functionName, source }: QueueMapping): string {
    return `An event source mapping with SQS arn (" ${queueArn(realm, source.name)} ") and function (" ${functionName} ") already exists. Please update or delete the existing mapping with UUID ${uuid}`;
  }

  reader(realm: Realm, mapping: QueueMapping): Reader {
    const { clock, secureRandom, queues, invoker, onProblem, onResult } = this.#parts;
    const poller = new QueuePoller(
      {
        clock,
        secureRandom,
        realm,
        invoke: (request) => invoker.invoke(request),
        free: (name) => invoker.free(realm, name),
        onceFree: (listener) => invoker.onceFree(listener),
        onProblem,
        queue: async () => queues.queue(realm, mapping.source.name),
        desk: (queue) => this.#desk(queue),
        heldBytes: this.#heldBytes,
        target: (name, qualifier) => this.#target(realm, name, qualifier),
        onResult: (problem) => onResult(mapping.uuid, problem),
      },
      pollerSettings(realm, mapping),
    );
    return {
      configure: (changed: QueueMapping) => poller.configure(pollerSettings(realm, changed)),
      start: () => poller.start(),
      stop: () => poller.stop(),
      // What it kept lies in the queue's cell, and is the queue's.
      forget: async () => undefined,
    };
  }

  start(): void {
    // What an earlier run held is given back when its queue is read.
  }

  async close(): Promise<void> {
    // Queues are closed by their owner.
  }

  #target(realm: Realm, name: string, qualifier: string | undefined): Target | undefined {
    const { reading } = this.#parts.functions;
    try {
      const { version } = reading.get(realm, name, qualifier);
      const { recursion } = reading.details(realm, name);
      return { timeoutMs: version.timeoutMs, endsCircles: recursion === "Terminate" };
    } catch (error) {
      if (isLambentError(error, "NotFound")) return undefined;
      throw error;
    }
  }

  /** Messages of a queue that no mapping reads are for no function: they have no record. */
  async #noteDeadLettered(letters: DeadLetters): Promise<void> {
    const { realm, source } = letters;
    const { mappings, clock } = this.#parts;
    const mapping = [...mappings(realm)].find((each) => each.source.kind === "queue" && each.source.name === source.record.name);
    if (!mapping) return;
    const parts = {
      queue: source,
      ledger: (await this.#desk(source)).ledger,
      queueArn: queueArn(realm, source.record.name),
      functionArn: functionArn(realm, mapping.functionName, mapping.qualifier),
    };
    await noteDeadLettered(parts, letters, clock.now());
  }

  /** One behind the other: giving back must not go on when the ledger could not be opened, and meet leases of the next try. */
  async #openDesk(list: WorkList): Promise<QueueDesk> {
    const ledger = await LedgerRows.open(list, this.#parts.clock);
    return { ledger, holds: await Holds.open(list, this.#parts) };
  }

  #desk({ list }: Queue): Promise<QueueDesk> {
    const known = this.#desks.get(list);
    if (known) return known;
    const opening = this.#openDesk(list);
    this.#desks.set(list, opening);
    opening.catch(() => this.#desks.delete(list));
    return opening;
  }
}

function pollerSettings(realm: Realm, { functionName, qualifier, settings, source }: QueueMapping): PollerSettings {
  const { batchSize, windowMs, concurrencyMax = CONCURRENT_BATCHES_MAX, filters, answers } = settings;
  return {
    rules: { ordering: source.ordering, batchSize, windowMs, concurrencyMax },
    filter: compileFilters(filters),
    answers,
    functionName,
    qualifier,
    functionArn: functionArn(realm, functionName, qualifier),
  };
}
