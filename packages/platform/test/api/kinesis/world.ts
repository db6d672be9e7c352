import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { Kinesis, type KinesisClientConfig, type SubscribeToShardEvent, type SubscribeToShardEventStream } from "@aws-sdk/client-kinesis";
import { kinesisService } from "../../../src/api/kinesis/service.ts";
import { ManualClock, seededRandom, systemClock, systemSecureRandom } from "../../../src/base/index.ts";
import { ApiHandler, BodyBudget, type FunctionUrlHandler, Gateway } from "../../../src/gateway/index.ts";
import type { SigningKey } from "../../../src/security/index.ts";
import { openMemoryStore } from "../../../src/storage/index.ts";
import { openStreams, type Streams } from "../../../src/streams/index.ts";
import { TEST_KEY, testSecurity, type TestSecurity } from "../../support/api-client.ts";
import { readyService } from "../../support/ready-service.ts";

process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

export const ACCOUNT = TEST_KEY.account;
export const REALM = { account: ACCOUNT, region: "us-east-1" };
export const arnOf = (name: string): string => `arn:aws:kinesis:us-east-1:${ACCOUNT}:stream/${name}`;

export interface KinesisWorld {
  readonly url: string;
  readonly kinesis: Kinesis;
  readonly streams: Streams;
  /** Of streams, iterators and subscriptions; requests are signed by the system's. */
  readonly clock: ManualClock;
  readonly security: TestSecurity;
  /** Streams that groups of Kafka's read. */
  readonly grouped: Set<string>;
  client(key: SigningKey): Kinesis;
  /** A stream of so many shards; its name. */
  make(StreamName: string, ShardCount?: number): Promise<string>;
  /** Puts texts, one by one; their sequence numbers. */
  put(StreamName: string, PartitionKey: string, ...texts: readonly string[]): Promise<string[]>;
  /** Everything in a shard from a position on, as texts. */
  read(StreamName: string, shard?: number, from?: Partial<Parameters<Kinesis["getShardIterator"]>[0]>): Promise<string[]>;
}

/** Kinesis behind the gateway, and the SDK for JavaScript in front of it, which speaks HTTP/2 for each call. */
export async function openKinesis(test: TestContext): Promise<KinesisWorld> {
  const security = await testSecurity(test);
  const store = openMemoryStore();
  const clock = new ManualClock();
  const fail = (error: unknown): never => assert.fail(`a defect: ${error instanceof Error ? String(error.stack) : String(error)}`);
  const streams = await openStreams({ store, clock, random: seededRandom(1), secureRandom: systemSecureRandom, onProblem: fail });
  const grouped = new Set<string>();
  const stopping = new AbortController();
  const api = new ApiHandler({
    services: [readyService(kinesisService({ streams, hasGroups: async (_realm, name) => grouped.has(name), clock, rootKey: TEST_KEY }))],
    authenticator: security.authenticator,
    authorize: ({ principal, requestId, realm }, permission) =>
      security.authorizer.authorize({ principal, requestId, region: realm.region, ...permission }),
    bodies: new BodyBudget(),
    clock: systemClock,
    secureRandom: systemSecureRandom,
    stopping: stopping.signal,
    reportDefect: fail,
  });
  const gateway = new Gateway({
    api,
    functionUrls: { handle: async () => undefined } as unknown as FunctionUrlHandler,
    findUrl: () => undefined,
    browserRules: { allowedHosts: [], allowedOrigins: [] },
    health: () => ({}),
    reportDefect: fail,
  });
  const { port } = await gateway.listen("127.0.0.1", 0);
  test.after(async () => {
    stopping.abort();
    await gateway.close(Promise.resolve());
    await streams.close();
    await store.close();
  });
  const url = `http://127.0.0.1:${port}`;
  const client = (key: SigningKey): Kinesis => {
    const credentials = { ...key } as NonNullable<KinesisClientConfig["credentials"]>;
    const made = new Kinesis({ endpoint: url, region: "us-east-1", maxAttempts: 1, credentials });
    test.after(() => made.destroy());
    return made;
  };
  const kinesis = client(TEST_KEY);
  return {
    ...{ url, kinesis, streams, clock, security, grouped, client },
    async make(StreamName, ShardCount = 1) {
      await kinesis.createStream({ StreamName, ShardCount });
      return StreamName;
    },
    async put(StreamName, PartitionKey, ...texts) {
      const numbers: string[] = [];
      for (const text of texts) {
        const { SequenceNumber } = await kinesis.putRecord({ StreamName, PartitionKey, Data: Buffer.from(text) });
        numbers.push(SequenceNumber ?? assert.fail("no sequence number"));
      }
      return numbers;
    },
    async read(StreamName, shard = 0, from = {}) {
      const asked = { StreamName, ShardId: shardId(shard), ShardIteratorType: "TRIM_HORIZON" as const, ...from };
      const { ShardIterator } = await kinesis.getShardIterator(asked);
      const { Records = [] } = await kinesis.getRecords({ ShardIterator });
      return Records.map(({ Data }) => text(Data));
    },
  };
}

export const shardId = (number: number): string => `shardId-${String(number).padStart(12, "0")}`;
export const text = (data: Uint8Array | undefined): string => Buffer.from(data ?? []).toString("utf8");

/** Events of a subscription, one by one. */
export class Events {
  readonly #events: AsyncIterator<SubscribeToShardEventStream>;

  constructor(stream: AsyncIterable<SubscribeToShardEventStream> | undefined) {
    this.#events = (stream ?? assert.fail("no stream of events"))[Symbol.asyncIterator]();
  }

  async next(): Promise<SubscribeToShardEvent> {
    const { value, done } = await this.#events.next();
    assert.equal(done, false, "the subscription ended");
    return (value as SubscribeToShardEventStream).SubscribeToShardEvent ?? assert.fail("no event of records");
  }

  /** The texts of the next `count` records. */
  async texts(count: number): Promise<string[]> {
    const texts: string[] = [];
    while (texts.length < count) for (const { Data } of (await this.next()).Records ?? []) texts.push(text(Data));
    return texts;
  }

  /** How many events come before the end. */
  async untilEnd(): Promise<number> {
    for (let count = 0; ; count += 1) if ((await this.#events.next()).done === true) return count;
  }

  async stop(): Promise<void> {
    await this.#events.return?.();
  }
}

/** Asserts that a call is refused by an error of this name whose message says so. */
export async function refused(call: Promise<unknown>, name: string, says: RegExp = /./): Promise<void> {
  await assert.rejects(call, (error: unknown) => {
    assert.ok(error instanceof Error);
    assert.equal(error.name, name, error.message);
    assert.match(error.message, says);
    return true;
  });
}
