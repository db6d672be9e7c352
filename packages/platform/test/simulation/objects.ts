import { isLambentError, type Random, randomBelow } from "../../src/base/index.ts";
import { DEFAULT_BUS, ruleArn } from "../../src/bus/index.ts";
import { type Bucket, type Caller, NO_ATTRIBUTES, type Notifications } from "../../src/objects/index.ts";
import type { KnownUpload, ObjectHistory } from "../crash/object-history.ts";
import { contentName, contentOf, etagOf, nameOfContent } from "../crash/object-journal.ts";
import { arnOfFunction, arnOfQueue, REALM } from "./application.ts";
import type { Life } from "./life.ts";
import type { Trace } from "./trace.ts";

export const BUCKET = "photos";
/** What is put under these keys is told to the function `orders`; some of it fails whatever is done. */
export const TO_ORDERS = "orders/";
/** A rule of the default bus leads what it is told of objects to the queue `changes`. */
export const CHANGES_RULE = ruleArn(REALM, DEFAULT_BUS, "changes");
const KEYS = [`${TO_ORDERS}a`, `${TO_ORDERS}b`, `${TO_ORDERS}poison`, "others/a", "others/b"];
const PARTS_MAX = 2;
const CALLER: Caller = { principalId: "simulation", sourceAddress: "127.0.0.1", requestId: "r", traceHeader: undefined };

const NOTIFICATIONS: Notifications = {
  rules: [
    { id: "orders", target: arnOfFunction("orders"), events: ["s3:ObjectCreated:*"], prefix: TO_ORDERS, suffix: "" },
    { id: "all", target: arnOfQueue("uploads"), events: ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"], prefix: "", suffix: "" },
  ],
  toBus: true,
};

/** Makes the bucket, and the rule for what the bus is told of it. */
export async function makeBucket({ buckets, buses }: Life): Promise<void> {
  await buckets.create(REALM, BUCKET);
  await buckets.setNotifications(BUCKET, NOTIFICATIONS, CALLER);
  const said = { schedule: undefined, enabled: true, description: undefined, roleArn: undefined, tags: undefined };
  await buses.rules.put(REALM, { bus: DEFAULT_BUS, name: "changes", pattern: JSON.stringify({ source: ["aws.s3"] }), ...said });
  await buses.rules.putTargets(REALM, DEFAULT_BUS, "changes", [{ id: "changes", arn: arnOfQueue("changes") }]);
}

export interface ObjectStepParts {
  readonly random: Random;
  readonly history: ObjectHistory;
  readonly trace: Trace;
  /** Told of what can only be a defect. */
  readonly broken: (what: string) => void;
}

/** Whoever uses the bucket: puts, deletes, copies, uploads in parts, reads. What is refused is remembered as such. */
export class ObjectSteps {
  readonly #parts: ObjectStepParts;
  #calls = 1;

  constructor(parts: ObjectStepParts) {
    this.#parts = parts;
  }

  async step(life: Life): Promise<void> {
    const { random } = this.#parts;
    const choice = random.next();
    const key = KEYS[randomBelow(random, KEYS.length)] ?? "";
    const bucket = await life.buckets.bucket(BUCKET);
    if (choice < 0.45) await this.#put(bucket, key);
    else if (choice < 0.6) await this.#change(key, undefined, () => bucket.delete(key, { caller: CALLER }));
    else if (choice < 0.7) await this.#copy(bucket);
    else if (choice < 0.85) await this.#upload(bucket);
    else await this.#read(bucket, key);
  }

  #put(bucket: Bucket, key: string): Promise<unknown> {
    const content = this.#content(key);
    const source = contentOf(content);
    return this.#change(key, content, () => bucket.put(key, NO_ATTRIBUTES, { source, length: source.length }, { caller: CALLER }));
  }

  /** Of an object that is put for it, so that what is copied is known; and that is deleted meanwhile. */
  async #copy(bucket: Bucket): Promise<void> {
    const source = `once/${this.#calls}`;
    const content = this.#content(source);
    const body = { source: contentOf(content) };
    await this.#change(source, content, () => bucket.put(source, NO_ATTRIBUTES, body, { caller: CALLER }));
    const found = await bucket.get(source);
    const copy = `copy/${source}`;
    const ends = await Promise.allSettled([
      this.#change(source, undefined, () => bucket.delete(source, { caller: CALLER })),
      this.#change(copy, content, () => bucket.copyFrom({ bucket, found }, copy, NO_ATTRIBUTES, { caller: CALLER })),
    ]);
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  /** Goes on with an upload that is under way, or begins one. */
  async #upload(bucket: Bucket): Promise<void> {
    const { history, random } = this.#parts;
    const open = [...history.uploads].filter(([, { state }]) => state === "open");
    const some = open[randomBelow(random, Math.max(1, open.length))];
    if (some && random.next() < 0.7) return this.#goOn(bucket, ...some);
    const key = `${TO_ORDERS}parts/${this.#calls++}`;
    const { id } = await bucket.uploads.create(key, NO_ATTRIBUTES, CALLER);
    history.add({ kind: "begun", upload: id, key });
    const upload = history.uploads.get(id);
    if (upload) await this.#goOn(bucket, id, upload);
  }

  async #goOn({ uploads }: Bucket, upload: string, known: KnownUpload): Promise<void> {
    const { history, random } = this.#parts;
    const { key } = known;
    const number = 1 + randomBelow(random, PARTS_MAX);
    const content = this.#content(`part-${key}`);
    history.add({ kind: "parting", upload, number, content });
    const { md5: etag } = await uploads.putPart(key, upload, number, { source: contentOf(content) });
    history.add({ kind: "parted", upload, number, content });
    const chance = random.next();
    if (chance > 0.7 || known.state !== "open") return;
    const isCompleted = chance < 0.5;
    history.add({ kind: "ending", upload, content: isCompleted ? content : undefined });
    const request = { parts: [{ number, etag }] };
    if (isCompleted) await this.#change(key, content, () => uploads.complete(key, upload, request, { caller: CALLER }));
    else await uploads.abort(key, upload);
    history.add({ kind: "ended", upload });
  }

  async #read(bucket: Bucket, key: string): Promise<void> {
    await this.#parts.history.reading(key, async (possible) => {
      const found = await readContent(bucket, key);
      if (!possible.has(found)) this.#parts.broken(`P1: ${key} is read as ${found} and may be ${[...possible].join(", ")}`);
    });
  }

  async #change<T>(key: string, content: string | undefined, work: () => Promise<T>): Promise<T> {
    const { history, trace } = this.#parts;
    const call = this.#calls++;
    history.add({ kind: "asked", call, key, content });
    try {
      const answer = await work();
      history.add({ kind: "done", call });
      trace.add(`${key} is ${content}`);
      return answer;
    } catch (error) {
      // A store that stopped may have committed, and so may one that is being left.
      if (isLambentError(error) && error.code !== "StorageStopped" && error.code !== "ShuttingDown") history.add({ kind: "refused", call });
      trace.add(`${key} is not ${content}: ${String(error)}`);
      throw error;
    }
  }

  #content(who: string): string {
    return contentName(who, this.#calls, this.#parts.random.next() < 0.5);
  }
}

/** The name of what a key holds; undefined where it holds nothing, and `damaged` where that is no content, or not all of one. */
export async function readContent(bucket: Bucket, key: string): Promise<string | undefined> {
  try {
    const opened = await bucket.open(await bucket.get(key));
    const bytes = Buffer.isBuffer(opened) ? opened : Buffer.concat(await opened.toArray());
    return nameOfContent(bytes) ?? "damaged";
  } catch (error) {
    if (isLambentError(error, "NotFound")) return undefined;
    throw error;
  }
}

/** Whether a part that is listed is one that was put. */
export function isPart(known: KnownUpload, number: number, md5: string): boolean {
  return [...(known.parts.get(number)?.contents ?? [])].some((content) => etagOf(content, false) === md5);
}
