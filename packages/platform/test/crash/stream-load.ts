/** Those who use the streams of the real server while it is killed: clients of Kinesis over HTTP, and of Kafka on its bare protocol. */
import {
  CreateStreamCommand,
  KinesisClient,
  KinesisServiceException,
  PutRecordsCommand,
  ResourceInUseException,
} from "@aws-sdk/client-kinesis";
import {
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  LambdaClient,
  LambdaServiceException,
  PutFunctionConcurrencyCommand,
  ResourceConflictException,
} from "@aws-sdk/client-lambda";
import { delay, randomBelow, type Random, seededRandom, systemClock } from "../../src/base/index.ts";
import type { RigServer } from "../long/rig.ts";
import { sendSigned } from "../support/signed-http.ts";
import { zipOf } from "../support/zips.ts";
import { CHECKS, type Finding } from "./checks.ts";
import type { Ear } from "./server-load.ts";
import { ADDED_MS, DEVICES, MAPPED, STREAMS } from "./stream-names.ts";
import { type Place, type Reading, type StreamEntry, textOf } from "./stream-journal.ts";
import { KafkaLoad } from "./stream-kafka-load.ts";
import { declarationOf, WINDOW_NAMES } from "./window-results.ts";

const ROLE = "arn:aws:iam::000000000000:role/made";
const SHARDS = 2;
const RECORDS_PER_CALL_MAX = 5;
/** Events are put so far behind one another at most. Windows are told to wait for them longer than the clients' calls overlap. */
const OUT_OF_ORDERNESS = "120s";
const DISORDER_STEPS_MAX = 3;
/** Clients leave the server time for what it makes of their records. */
const PAUSE_MS = 4;

/** Works on the server's streams until it is gone, or `lines` were said; then kills it. */
export async function useStreamsUntilKilled(server: RigServer, ear: Ear, seed: number, lines: number): Promise<void> {
  const { accessKeyId, secretAccessKey } = server.key;
  const settings = { endpoint: server.url, region: "us-east-1", credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 };
  const kinesis = new KinesisClient(settings);
  const lambda = new LambdaClient(settings);
  const until = ear.lines + lines;
  const load = new StreamLoad({ server, kinesis, lambda, ear, seed, goesOn: () => ear.lines < until });
  // The clock's waits keep no process alive, and once the server is gone nothing else does.
  const alive = setInterval(() => undefined, 1_000);
  try {
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
    kinesis.destroy();
    lambda.destroy();
  }
}

export interface StreamLoadParts {
  readonly server: RigServer;
  readonly kinesis: KinesisClient;
  readonly lambda: LambdaClient;
  readonly ear: Ear;
  readonly seed: number;
  goesOn(): boolean;
}

export class StreamLoad {
  readonly #parts: StreamLoadParts;
  /** Times of devices: each is there once, in this life; those of lives before are behind. */
  readonly #taken = new Set<string>();
  #at: number;

  constructor(parts: StreamLoadParts) {
    this.#parts = parts;
    this.#at = parts.ear.history.streams.latestAt + DISORDER_STEPS_MAX * ADDED_MS;
  }

  get history() {
    return this.#parts.ear.history.streams;
  }

  get server(): RigServer {
    return this.#parts.server;
  }

  goesOn(): boolean {
    return this.#parts.goesOn();
  }

  say(entry: StreamEntry): void {
    this.#parts.ear.say({ kind: "stream", entry });
  }

  /** The storage refuses everything. */
  stopped(): void {
    this.#parts.ear.say({ kind: "stopped" });
  }

  find(check: Finding["check"], what: string): void {
    this.#parts.ear.history.findings.push({ check, what });
  }

  /** Makes the streams, the mapping and the windows, or what of them an earlier life did not. */
  async setUp(): Promise<void> {
    const { kinesis, lambda, server } = this.#parts;
    for (const StreamName of Object.values(STREAMS))
      await unlessThere(kinesis.send(new CreateStreamCommand({ StreamName, ShardCount: SHARDS })));
    for (const name of WINDOW_NAMES) {
      const body = JSON.stringify({ Declaration: JSON.stringify(declarationOf(name, STREAMS.readings, OUT_OF_ORDERNESS)) });
      const path = `/_lambent/v1/windows/${name}`;
      const headers = { "content-type": "application/json" };
      const { status, body: told } = await sendSigned(server.url, { method: "POST", path, headers, body }, server.key, "lambent");
      if (status !== 200 && status !== 409) this.find(CHECKS.ends, `a window is answered with ${status}: ${told.toString("utf8")}`);
    }
    const ZipFile = await zipOf({ "index.mjs": "export const handler = () => undefined;" });
    const made = { FunctionName: MAPPED, Role: ROLE, Runtime: "nodejs22.x", Handler: "index.handler", Code: { ZipFile } } as const;
    await unlessThere(lambda.send(new CreateFunctionCommand(made)));
    // One process: what is shown here needs no more, and the machine has other work.
    await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: MAPPED, ReservedConcurrentExecutions: 1 }));
    const EventSourceArn = `arn:aws:kinesis:us-east-1:000000000000:stream/${STREAMS.clicks}`;
    const reads = { FunctionName: MAPPED, EventSourceArn, StartingPosition: "TRIM_HORIZON", BatchSize: 20 } as const;
    await unlessThere(lambda.send(new CreateEventSourceMappingCommand(reads)));
  }

  begin(): Promise<void>[] {
    const { seed } = this.#parts;
    const kafka = new KafkaLoad(this);
    return [
      this.#puts(STREAMS.readings, "kinesis-1", seededRandom(seed * 100 + 1)),
      this.#puts(STREAMS.readings, "kinesis-2", seededRandom(seed * 100 + 2)),
      this.#puts(STREAMS.clicks, "clicks", seededRandom(seed * 100 + 3)),
      ...Array.from({ length: SHARDS }, (_, partition) => kafka.produce(partition, seededRandom(seed * 100 + 10 + partition))),
      kafka.consume(SHARDS),
    ];
  }

  /** An error the server answered is a finding, unless it says that its storage stopped; a connection that ended is what is being done to it. */
  onlyGone(error: unknown): void {
    if (!(error instanceof KinesisServiceException || error instanceof LambdaServiceException)) return;
    if ((error.$metadata.httpStatusCode ?? 0) >= 500 && /storage/iu.test(error.message)) return this.stopped();
    this.find(CHECKS.ends, `the server answered ${error.name}: ${error.message}`);
  }

  /** Readings that were not put before; of one producer one call follows the other. */
  draw(producer: string, random: Random): Reading[] {
    const first = this.history.nextNumber(producer);
    return Array.from({ length: 1 + randomBelow(random, RECORDS_PER_CALL_MAX) }, (_, index) => {
      this.#at += 1 + randomBelow(random, ADDED_MS);
      const device = DEVICES[randomBelow(random, DEVICES.length)] ?? "";
      const at = this.#freeTime(device, this.#at - randomBelow(random, DISORDER_STEPS_MAX * ADDED_MS));
      return { id: `${producer}.${first + index}`, device, value: randomBelow(random, 1_000), at };
    });
  }

  #freeTime(device: string, from: number): number {
    let at = from;
    while (this.#taken.has(`${device} ${at}`)) at += 1;
    this.#taken.add(`${device} ${at}`);
    return at;
  }

  async #puts(StreamName: string, producer: string, random: Random): Promise<void> {
    try {
      while (this.goesOn()) {
        const call = this.history.nextCall;
        const readings = this.draw(producer, random);
        this.say({ kind: "putting", call, stream: StreamName, readings });
        const Records = readings.map((each) => ({ PartitionKey: each.device, Data: Buffer.from(textOf(each)) }));
        const { Records: told = [] } = await this.#parts.kinesis.send(new PutRecordsCommand({ StreamName, Records }));
        this.say({ kind: "put", call, places: told.map(({ ShardId, SequenceNumber }) => placeOf(ShardId, SequenceNumber)) });
        for (const { ErrorCode, ErrorMessage = "" } of told) {
          if (ErrorCode === undefined) continue;
          if (/storage/iu.test(ErrorMessage)) return this.stopped();
          this.find(CHECKS.ends, `a record was refused: ${ErrorCode} ${ErrorMessage}`);
        }
        await delay(systemClock, PAUSE_MS);
      }
    } catch (error) {
      this.onlyGone(error);
    }
  }
}

/** A sequence number ends with the offset. */
const OFFSET_DIGITS = 31;

function placeOf(shard: string | undefined, sequenceNumber: string | undefined): Place | null {
  if (shard === undefined || sequenceNumber === undefined) return null;
  return [Number(shard.slice("shardId-".length)), Number(sequenceNumber.slice(-OFFSET_DIGITS))];
}

async function unlessThere(made: Promise<unknown>): Promise<void> {
  try {
    await made;
  } catch (error) {
    if (!(error instanceof ResourceInUseException || error instanceof ResourceConflictException)) throw error;
  }
}
