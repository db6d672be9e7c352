/** Those who use the buckets of the real server over HTTP while it is killed. */
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  NoSuchKey,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand, SQSClient, SQSServiceException } from "@aws-sdk/client-sqs";
import { type Random, randomBelow, seededRandom } from "../../src/base/index.ts";
import type { RigServer } from "../long/rig.ts";
import { sendSigned } from "../support/signed-http.ts";
import { CHECKS, type Finding } from "./checks.ts";
import { BUCKETS, contentName, contentOf, nameOfContent, type ObjectEntry, TOLD_QUEUE } from "./object-journal.ts";
import { toldIn } from "./object-told.ts";
import { ObjectUploads } from "./object-uploads.ts";
import type { Ear } from "./server-load.ts";

const QUEUE_ARN = `arn:aws:sqs:us-east-1:000000000000:${TOLD_QUEUE}`;
const SHARED_KEYS = 5;
const SHARING_CLIENTS = 2;
const MESSAGES_MAX = 10;

/** Works on the server's buckets until it is gone, or `lines` were said; then kills it. */
export async function useBucketsUntilKilled(server: RigServer, ear: Ear, seed: number, lines: number): Promise<void> {
  const { accessKeyId, secretAccessKey } = server.key;
  const settings = { endpoint: server.url, region: "us-east-1", credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 };
  // Names before the address of a loopback interface lead nowhere.
  const s3 = new S3Client({ ...settings, forcePathStyle: true });
  const sqs = new SQSClient(settings);
  const until = ear.lines + lines;
  const load = new ObjectLoad({ s3, sqs, ear, seed, goesOn: () => ear.lines < until });
  // The clock's waits keep no process alive, and once the server is gone nothing else does.
  const alive = setInterval(() => undefined, 1_000);
  try {
    await verifyRunning(server, load);
    await load.setUp();
    ear.say({ kind: "ready" });
    const work = load.begin();
    // The first who has seen enough ends it for all, in the middle of what the others do.
    await Promise.race(work);
    await server.kill();
    await Promise.allSettled(work);
  } catch (error) {
    load.onlyGone(error);
  } finally {
    await server.kill();
    clearInterval(alive);
    s3.destroy();
    sqs.destroy();
  }
}

/** `lambent verify` of the server as it runs. */
async function verifyRunning(server: RigServer, load: ObjectLoad): Promise<void> {
  const { status, body } = await sendSigned(server.url, { path: "/_lambent/v1/verify" }, server.key, "lambent");
  const text = body.toString("utf8");
  if (status !== 200) return load.find(CHECKS.verify, `the running server answers ${status}: ${text}`);
  const { Faults } = JSON.parse(text) as { readonly Faults: readonly { readonly What: string }[] };
  for (const { What } of Faults) load.find(CHECKS.verify, `the running server finds: ${What}`);
}

export interface ObjectLoadParts {
  readonly s3: S3Client;
  readonly sqs: SQSClient;
  readonly ear: Ear;
  readonly seed: number;
  goesOn(): boolean;
}

export class ObjectLoad {
  readonly s3: S3Client;
  readonly #parts: ObjectLoadParts;
  #queueUrl = "";
  #calls: number;

  constructor(parts: ObjectLoadParts) {
    this.s3 = parts.s3;
    this.#parts = parts;
    this.#calls = parts.ear.history.objects.nextCall;
  }

  get history() {
    return this.#parts.ear.history.objects;
  }

  goesOn(): boolean {
    return this.#parts.goesOn();
  }

  say(entry: ObjectEntry): void {
    this.#parts.ear.say({ kind: "object", entry });
  }

  find(check: Finding["check"], what: string): void {
    this.#parts.ear.history.findings.push({ check, what });
  }

  /** Makes the buckets and the queue, or what of them an earlier life did not. */
  async setUp(): Promise<void> {
    const { s3, sqs } = this.#parts;
    const statement = { Effect: "Allow", Principal: { Service: "s3.amazonaws.com" }, Action: "sqs:SendMessage", Resource: QUEUE_ARN };
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement: [statement] });
    const { QueueUrl = "" } = await sqs.send(new CreateQueueCommand({ QueueName: TOLD_QUEUE, Attributes: { Policy } }));
    this.#queueUrl = QueueUrl;
    for (const Bucket of Object.values(BUCKETS)) await s3.send(new CreateBucketCommand({ Bucket }));
    const Events = ["s3:ObjectCreated:*" as const, "s3:ObjectRemoved:*" as const];
    const NotificationConfiguration = { QueueConfigurations: [{ QueueArn: QUEUE_ARN, Events }] };
    await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket: BUCKETS.things, NotificationConfiguration }));
    const VersioningConfiguration = { Status: "Enabled" as const };
    await s3.send(new PutBucketVersioningCommand({ Bucket: BUCKETS.versions, VersioningConfiguration }));
  }

  begin(): Promise<void>[] {
    const { seed } = this.#parts;
    const random = (number: number): Random => seededRandom(seed * 100 + number);
    return [
      ...Array.from({ length: SHARING_CLIENTS }, (_, index) => this.#loop(() => this.#share(random(index), `share${index}`))),
      this.#loop(() => this.#copyOnce(random(10))),
      this.#loop(() => this.#keepVersions(random(11))),
      new ObjectUploads(this, random(12)).run().catch((error: unknown) => this.onlyGone(error)),
      this.#loop(() => this.#listen()),
    ];
  }

  /** An error the server answered is a finding, unless it says that its storage stopped; a connection that ended is what is being done to it. */
  onlyGone(error: unknown): void {
    if (!(error instanceof S3ServiceException || error instanceof SQSServiceException)) return;
    if (isStopped(error)) return this.#parts.ear.say({ kind: "stopped" });
    this.find(CHECKS.ends, `the server answered ${error.name}: ${error.message}`);
  }

  /** Changes what a key holds, and says so. Resolves with what the answer says; undefined where nothing was changed for want of room. */
  async change<T>(key: string, content: string | undefined, work: () => Promise<T>): Promise<T | undefined> {
    const call = this.#calls++;
    this.say({ kind: "asked", call, key, content });
    try {
      const answer = await work();
      this.say({ kind: "done", call });
      return answer;
    } catch (error) {
      if (!isFull(error)) throw error;
      this.say({ kind: "refused", call });
      return undefined;
    }
  }

  put(Key: string, content: string): Promise<unknown> {
    return this.change(Key, content, () => this.s3.send(new PutObjectCommand({ Bucket: BUCKETS.things, Key, Body: contentOf(content) })));
  }

  /** What is read is whole, and something that the key may hold. */
  check(Key: string): Promise<void> {
    return this.history.reading(Key, async (possible) => {
      const found = await this.#read(Key);
      if (found === "damaged") this.find(CHECKS.bodies, `${Key} is read and is no content, or not all of one`);
      else if (!possible.has(found)) this.find(CHECKS.kept, `${Key} is read as ${found}, and may hold ${[...possible].join(", ")}`);
    });
  }

  async #read(Key: string): Promise<string | undefined> {
    try {
      const { Body } = await this.s3.send(new GetObjectCommand({ Bucket: BUCKETS.things, Key }));
      return nameOfContent(Buffer.from((await Body?.transformToByteArray()) ?? [])) ?? "damaged";
    } catch (error) {
      if (error instanceof NoSuchKey) return undefined;
      if (error instanceof S3ServiceException && error.name === "InternalError") return "damaged";
      throw error;
    }
  }

  async #loop(step: () => Promise<void>): Promise<void> {
    try {
      while (this.goesOn()) await step();
    } catch (error) {
      this.onlyGone(error);
    }
  }

  /** One of several who change the same keys. */
  async #share(random: Random, who: string): Promise<void> {
    const Key = `shared/${randomBelow(random, SHARED_KEYS)}`;
    const choice = random.next();
    if (choice < 0.6) await this.put(Key, contentName(who, this.#calls, choice < 0.35));
    else if (choice < 0.8) await this.change(Key, undefined, () => this.s3.send(new DeleteObjectCommand({ Bucket: BUCKETS.things, Key })));
    else await this.check(Key);
  }

  /** A copy stays when its source goes. */
  async #copyOnce(random: Random): Promise<void> {
    const number = this.#calls;
    const content = contentName("once", number, random.next() < 0.7);
    const [Key, copy] = [`once/${number}`, `copy/${number}`];
    if ((await this.put(Key, content)) === undefined) return;
    const CopySource = `${BUCKETS.things}/${Key}`;
    await this.change(copy, content, () => this.s3.send(new CopyObjectCommand({ Bucket: BUCKETS.things, Key: copy, CopySource })));
    if (random.next() < 0.5)
      await this.change(Key, undefined, () => this.s3.send(new DeleteObjectCommand({ Bucket: BUCKETS.things, Key })));
    await this.check(copy);
  }

  async #keepVersions(random: Random): Promise<void> {
    const number = this.#calls++;
    const Key = `kept/${number % 3}`;
    const content = contentName("version", number, random.next() < 0.5);
    try {
      const { VersionId = "" } = await this.s3.send(new PutObjectCommand({ Bucket: BUCKETS.versions, Key, Body: contentOf(content) }));
      this.say({ kind: "kept", version: VersionId, key: Key, content });
    } catch (error) {
      if (!isFull(error)) throw error;
      this.say({ kind: "refused" });
    }
    if (random.next() < 0.2) await this.s3.send(new DeleteObjectCommand({ Bucket: BUCKETS.versions, Key }));
    if (random.next() < 0.4) await this.#removeVersion(random);
  }

  async #removeVersion(random: Random): Promise<void> {
    const there = [...this.history.versions].filter(([, { state }]) => state === "kept");
    const some = there[randomBelow(random, Math.max(1, there.length))];
    if (!some) return;
    const [VersionId, { key: Key }] = some;
    this.say({ kind: "removing", version: VersionId });
    await this.s3.send(new DeleteObjectCommand({ Bucket: BUCKETS.versions, Key, VersionId }));
    this.say({ kind: "removed", version: VersionId });
  }

  /** What is told is there to be read: it, or what replaced it. */
  async #listen(): Promise<void> {
    const { sqs } = this.#parts;
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: this.#queueUrl, MaxNumberOfMessages: MESSAGES_MAX, WaitTimeSeconds: 1 }),
    );
    for (const { Body = "", MessageId = "", ReceiptHandle } of Messages) {
      for (const entry of toldIn(Body, MessageId)) {
        this.say(entry);
        await this.check(entry.key);
      }
      await sqs.send(new DeleteMessageCommand({ QueueUrl: this.#queueUrl, ReceiptHandle }));
    }
  }
}

/** The answer says that there is no room: then nothing was changed. */
export function isFull(error: unknown): boolean {
  return error instanceof S3ServiceException && error.$metadata.httpStatusCode === 507;
}

function isStopped({ name, $metadata, message }: S3ServiceException | SQSServiceException): boolean {
  return name === "ServiceUnavailable" || (($metadata.httpStatusCode ?? 0) >= 500 && message.startsWith("The storage"));
}
