import { LambentError, type Random, randomBelow, type Clock } from "../../src/base/index.ts";
import type { AsyncInvokerParts } from "../../src/invoker/index.ts";
import type { InvokeOutcome, InvokeRequest } from "../../src/invoker/index.ts";
import type { CallEnding, FunctionVersion } from "../../src/model/index.ts";
import type { SourcesParts } from "../../src/sources/index.ts";
import { functionVersion } from "../support/function-version.ts";
import type { Trace } from "./trace.ts";

export const REALM = { account: "000000000000", region: "us-east-1" } as const;
export const arnOfQueue = (name: string): string => `arn:aws:sqs:us-east-1:000000000000:${name}`;
export const arnOfFunction = (name: string): string => `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
/** The second bus, beside the default one. */
export const AUDIT_BUS = "audit";

/** What an event or a message of the simulation says. */
export interface Task {
  readonly task: string;
  /** Its handling always fails. */
  readonly poison: boolean;
  /** Of a message in a FIFO queue. */
  readonly group?: string;
  readonly order?: number;
  /** Of an event on a bus: where it asks to go. */
  readonly to?: readonly string[];
  /** It is what a bucket told. */
  readonly isOfBucket?: boolean;
  /** Of a record of a stream: what an answer names it by. */
  readonly sequenceNumber?: string;
}

/** The functions of the simulated application, and where their failures go. */
export const APPLICATION = {
  /** Asynchronous; what it handled goes to `receipts`, what it did not to the queue `failures`. */
  orders: { onSuccess: arnOfFunction("receipts"), onFailure: arnOfQueue("failures") },
  /** Asynchronous; reached from `orders`. What it handled goes on to the second bus. */
  receipts: { onSuccess: `arn:aws:events:us-east-1:000000000000:event-bus/${AUDIT_BUS}`, onFailure: undefined },
  /** Behind the queue `jobs`, names the messages it did not handle. */
  worker: { onSuccess: undefined, onFailure: undefined },
  /** Behind the queue `steps.fifo`. */
  keeper: { onSuccess: undefined, onFailure: undefined },
  /** Behind the stream `clicks`, names the first record it did not handle. */
  reader: { onSuccess: undefined, onFailure: undefined },
} as const;
export type FunctionName = keyof typeof APPLICATION;

/** What functions and their instances do: drawn from the seed. */
export interface Behaviour {
  readonly random: Random;
  /** Nothing fails any more but what is poison. */
  calm(): boolean;
}

/** One call that runs, for the checks. */
export interface RunningCall {
  readonly name: FunctionName;
  readonly requestId: string;
  readonly tasks: readonly Task[];
}

interface Watched {
  begun(call: RunningCall): void;
  /** The function returned, or failed, and the platform was told. */
  returned(call: RunningCall, handled: readonly Task[]): void;
}

interface Message {
  readonly messageId: string;
  readonly body: string;
}

/** The platform's functions without instances: calls take some time and end as the seed says. */
export class FakeCalls {
  readonly #clock: Clock;
  readonly #behaviour: Behaviour;
  readonly #watched: Watched;
  readonly #trace: Trace;
  readonly #running = new Map<string, number>();
  #waiting: (() => void)[] = [];
  /** The process these calls ran in is gone. */
  dead = false;

  constructor(parts: { readonly clock: Clock; readonly behaviour: Behaviour; readonly watched: Watched; readonly trace: Trace }) {
    this.#clock = parts.clock;
    this.#behaviour = parts.behaviour;
    this.#watched = parts.watched;
    this.#trace = parts.trace;
  }

  readonly invoke = async (request: InvokeRequest): Promise<InvokeOutcome> => {
    const { random } = this.#behaviour;
    const name = request.functionName as FunctionName;
    // A process that is dead begins nothing and answers nobody.
    if (this.dead) return new Promise(() => undefined);
    if (!this.#behaviour.calm()) {
      const chance = random.next();
      if (chance < 0.14) this.#trace.add(`${name} refuses ${request.requestId.slice(-6)}`);
      if (chance < 0.08) return { kind: "throttled", reason: "ReservedFunctionConcurrentInvocationLimitExceeded" };
      if (chance < 0.12) return { kind: "unavailable", what: "no process can be started" };
      if (chance < 0.14) throw new LambentError("FunctionNotReady", "it is being updated");
    }
    const messages = messagesOf(request.payload);
    const clicks = name === "reader" ? clicksOf(request.payload) : undefined;
    const tasks = clicks ?? (messages ? messages.map(({ body }) => JSON.parse(body) as Task) : [taskOf(request.payload)]);
    const call: RunningCall = { name, requestId: request.requestId, tasks };
    const startedAt = this.#clock.now();
    this.#running.set(name, (this.#running.get(name) ?? 0) + 1);
    this.#watched.begun(call);
    this.#trace.add(`${name} begins ${request.requestId.slice(-6)} ${tasks.map(({ task }) => task).join(" ")}`);
    const durationMs = randomBelow(random, 800);
    await new Promise<void>((resolve) => this.#clock.schedule(durationMs, resolve));
    if (this.dead) return new Promise(() => undefined);
    this.#leave(name);
    const { ending, handled } = clicks
      ? this.#clicksEnding(clicks)
      : messages
        ? this.#batchEnding(messages, name === "keeper")
        : this.#eventEnding(tasks);
    this.#trace.add(`${name} ends ${request.requestId.slice(-6)} ${ending.kind}, handled ${handled.map(({ task }) => task).join(" ")}`);
    this.#watched.returned(call, handled);
    return endedCall(version(name), request, { ending, startedAt, durationMs });
  };

  free(_realm: unknown, name: string): number {
    return 5 - (this.#running.get(name) ?? 0);
  }

  onceFree(listener: () => void): void {
    this.#waiting.push(listener);
  }

  #leave(name: string): void {
    this.#running.set(name, (this.#running.get(name) ?? 1) - 1);
    for (const listener of this.#waiting.splice(0)) listener();
  }

  #eventEnding(tasks: readonly Task[]): { readonly ending: CallEnding; readonly handled: readonly Task[] } {
    if (tasks.some(({ poison }) => poison) || this.#stumbles(0.15)) return { ending: this.#failure(), handled: [] };
    return { ending: { kind: "handled", payload: Buffer.from('{"done":true}') }, handled: tasks };
  }

  /** Names the messages it did not handle; of a FIFO queue, also those behind the first of them. */
  #batchEnding(messages: readonly Message[], inGroups: boolean): { readonly ending: CallEnding; readonly handled: readonly Task[] } {
    if (this.#stumbles(0.08)) return { ending: this.#failure(), handled: [] };
    const handled: Task[] = [];
    const failures: { readonly itemIdentifier: string }[] = [];
    const blocked = new Set<string>();
    for (const { messageId, body } of messages) {
      const task = JSON.parse(body) as Task;
      const group = inGroups ? task.group : undefined;
      const isBlocked = group !== undefined && blocked.has(group);
      if (!isBlocked && !task.poison && !this.#stumbles(0.1)) handled.push(task);
      else {
        failures.push({ itemIdentifier: messageId });
        if (group !== undefined) blocked.add(group);
      }
    }
    return { ending: { kind: "handled", payload: Buffer.from(JSON.stringify({ batchItemFailures: failures })) }, handled };
  }

  /** Names the first record it did not handle: what is behind that comes again, too. */
  #clicksEnding(clicks: readonly Task[]): { readonly ending: CallEnding; readonly handled: readonly Task[] } {
    if (this.#stumbles(0.08)) return { ending: this.#failure(), handled: [] };
    const failed = clicks.findIndex(({ poison }) => poison || this.#stumbles(0.1));
    const itemIdentifier = clicks[failed]?.sequenceNumber;
    const batchItemFailures = itemIdentifier === undefined ? [] : [{ itemIdentifier }];
    const payload = Buffer.from(JSON.stringify({ batchItemFailures }));
    return { ending: { kind: "handled", payload }, handled: failed < 0 ? clicks : clicks.slice(0, failed) };
  }

  #stumbles(share: number): boolean {
    return !this.#behaviour.calm() && this.#behaviour.random.next() < share;
  }

  #failure(): CallEnding {
    const chance = this.#behaviour.random.next();
    if (chance < 0.1) return { kind: "timedOut" };
    if (chance < 0.2) return { kind: "instanceLost", departure: { kind: "killed", signal: "SIGKILL" } };
    return { kind: "functionError", phase: "invoke", payload: Buffer.from('{"errorType":"Error","errorMessage":"it stumbled"}') };
  }
}

/** A registry in which nothing changes, with one function that never gets ready: what asynchronous invocation and mappings ask of it. */
export const FUNCTIONS: AsyncInvokerParts["functions"] & SourcesParts["functions"] = {
  find: (_realm, name, qualifier) => {
    if (name === "asleep") throw new LambentError("FunctionNotReady", "it is being made");
    const found = version(name as FunctionName);
    return {
      versions: [{ version: found, weight: 1 }],
      functionArn: arnOfFunction(`${name}${qualifier ?? ""}`),
    };
  },
  onChange: () => undefined,
  asynchronous: {
    functionId: (_realm: unknown, name: string) => (Object.hasOwn(APPLICATION, name) ? `id-of-${name}` : undefined),
    realms: () => [REALM],
    settings: (_realm: unknown, name: string) => {
      const { onSuccess, onFailure } = APPLICATION[name as FunctionName];
      const eventInvoke = { maximumRetryAttempts: 2, maximumEventAgeSeconds: 21_600, onSuccess, onFailure, modifiedAt: 0 };
      const flow = { concurrency: undefined, rate: undefined, debounce: undefined, priority: undefined, idempotency: undefined };
      return { recursion: "Terminate", deadLetterArn: undefined, reservedConcurrency: undefined, eventInvoke, flow };
    },
  } as unknown as AsyncInvokerParts["functions"]["asynchronous"],
  reading: {
    get: (_realm: unknown, name: string) => ({ version: version(name as FunctionName) }),
    details: () => ({ recursion: "Terminate" }),
  } as unknown as SourcesParts["functions"]["reading"],
};

const versions = new Map<string, FunctionVersion>();

function version(name: FunctionName): FunctionVersion {
  const known = versions.get(name);
  if (known) return known;
  const made = functionVersion({ name });
  versions.set(name, made);
  return made;
}

interface BucketEvent {
  readonly Records: readonly { readonly s3: { readonly object: { readonly key: string } } }[];
}

function messagesOf(payload: Buffer): Message[] | undefined {
  const { Records } = JSON.parse(payload.toString("utf8")) as { readonly Records?: readonly Message[] };
  return Records?.some((record) => "messageId" in record) ? [...Records] : undefined;
}

interface ClicksEvent {
  readonly Records: readonly {
    readonly kinesis: { readonly data: string; readonly partitionKey: string; readonly sequenceNumber: string };
  }[];
}

function clicksOf(payload: Buffer): Task[] {
  const { Records } = JSON.parse(payload.toString("utf8")) as ClicksEvent;
  return Records.map(({ kinesis: { data, partitionKey, sequenceNumber } }) => {
    const { id } = JSON.parse(Buffer.from(data, "base64").toString("utf8")) as { readonly id: string };
    return { task: id, poison: partitionKey === "poison", group: partitionKey, sequenceNumber };
  });
}

/** An event of `orders`, or of `receipts`: what became of one of `orders`. */
function taskOf(payload: Buffer): Task {
  const event = JSON.parse(payload.toString("utf8")) as Task | BucketEvent | { readonly requestPayload: Task | BucketEvent };
  return "requestPayload" in event ? { ...asTask(event.requestPayload), poison: false } : asTask(event);
}

/** What a bucket tells is a task named after its key. */
function asTask(event: Task | BucketEvent): Task {
  if (!("Records" in event)) return event;
  const key = event.Records[0]?.s3.object.key ?? "";
  return { task: key, poison: key.endsWith("poison"), isOfBucket: true };
}

/** What the invoker says of a call that ended. */
export function endedCall(
  of: FunctionVersion,
  request: InvokeRequest,
  call: { readonly ending: CallEnding; readonly startedAt: number; readonly durationMs: number },
): InvokeOutcome {
  const used = { durationMs: call.durationMs, initMs: 0, billedMs: Math.ceil(call.durationMs), maxMemoryMb: 50 };
  const usage = {
    requestId: request.requestId,
    account: REALM.account,
    region: REALM.region,
    functionName: of.name,
    version: of.version,
    memoryMb: of.memoryMb,
    startedAt: call.startedAt,
    ...used,
    ending: call.ending.kind,
  };
  return { kind: "ended", ending: call.ending, version: of, logTail: Buffer.alloc(0), ...used, usage };
}
