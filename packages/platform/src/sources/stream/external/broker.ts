/**
 * One connection to a broker elsewhere, and the four questions that are asked of it. The client library has the connection, the sign-in and the
 * framing; fetched batches are taken as they are, so that they are checked, bounded and decompressed as ours are.
 */
import { isIP } from "node:net";
import { Connection, listOffsetsV4, metadataV10, type Reader, ResponseError, Writer } from "@platformatic/kafka";
import { isLambentError, LambentError } from "../../../base/index.ts";
import type { EgressToAll } from "../../../security/index.ts";
import { isEncrypted, type OpenedAccess } from "./access.ts";
import type { Address } from "./address.ts";

const CLIENT_ID = "lambent";
const CONNECT_TIMEOUT_MS = 10_000;
/** Beyond what a fetch may wait at the broker. */
const REQUEST_TIMEOUT_MS = 30_000;
const FETCH_KEY = 1;
const FETCH_VERSION = 11;
/** Only what is committed. */
const READ_COMMITTED = 1;
const CONSUMER = -1;

export interface BrokerParts {
  readonly egress: Pick<EgressToAll, "resolveAll">;
  /** Asked at each connection. */
  readonly access: () => OpenedAccess;
}

export interface TopicFound {
  /** Names this topic among all that have, or had, its name. */
  readonly id: string;
  readonly brokers: ReadonlyMap<number, Address>;
  /** By number, the broker that leads each partition; undefined while none does. */
  readonly leaders: readonly (number | undefined)[];
}

export interface Fetched {
  /** Of the protocol; 0: none. */
  readonly errorCode: number;
  readonly first: number;
  /** Behind the last record that is committed. */
  readonly end: number;
  readonly aborted: readonly { readonly producerId: bigint; readonly firstOffset: number }[];
  /** Batches, one behind the other. */
  readonly recordSet: Buffer;
}

export class Broker {
  readonly #connection: Connection;

  private constructor(connection: Connection) {
    this.#connection = connection;
    // What is asked over it fails then, and says why.
    connection.on("error", () => undefined);
  }

  /** Throws `EgressRefused`, `InvalidParameter` for what it is to sign in with, `Throttled` for what the network or the broker says. */
  static async connect(address: Address, { egress, access }: BrokerParts): Promise<Broker> {
    const opened = access();
    const { host, port } = address;
    const { signIn, authority } = opened;
    const tls = { ...(isIP(host) === 0 ? { servername: host } : {}), ...(authority === undefined ? {} : { ca: [authority] }) };
    const addresses = await egress.resolveAll(host, port);
    let last: unknown;
    for (const { address: resolved } of addresses) {
      const connection = new Connection(CLIENT_ID, {
        ...{ connectTimeout: CONNECT_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
        ...(isEncrypted(opened, host) ? { tls } : {}),
        ...(signIn ? { sasl: signIn } : {}),
      });
      const broker = new Broker(connection);
      try {
        await connection.connect(resolved, port);
        return broker;
      } catch (error) {
        last = error;
        broker.close();
      }
    }
    throw failed(`The broker ${host}:${port} cannot be reached`, last);
  }

  close(): void {
    this.#connection.socket?.destroy();
  }

  /** Undefined: there is no such topic. */
  async topic(name: string): Promise<TopicFound | undefined> {
    const { brokers, topics, clusterId } = await this.#asked(() => this.#metadata(name));
    const [found] = topics;
    if (!found || found.errorCode === UNKNOWN_TOPIC) return undefined;
    if (found.errorCode !== 0)
      throw new LambentError("Throttled", `The broker tells nothing of topic ${name}: Kafka's error ${found.errorCode}.`);
    const leaders: (number | undefined)[] = [];
    for (const { partitionIndex, leaderId } of found.partitions) leaders[partitionIndex] = leaderId < 0 ? undefined : leaderId;
    return {
      id: `${clusterId ?? ""}/${found.topicId}`,
      brokers: new Map(brokers.map(({ nodeId, host, port }) => [nodeId, { host, port }])),
      leaders: Array.from(leaders),
    };
  }

  /** The first offset at or after a time; undefined when there is none. -2: of the oldest record; -1: behind the newest. */
  async offsetAt(topic: string, partition: number, timestamp: number): Promise<{ offset: number; time: number } | undefined> {
    const asked = [{ name: topic, partitions: [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp: BigInt(timestamp) }] }];
    const { topics } = await this.#asked(() => listOffsetsV4.api.async(this.#connection, CONSUMER, READ_COMMITTED, asked));
    const found = topics[0]?.partitions[0];
    return !found || found.offset < 0n ? undefined : { offset: Number(found.offset), time: Number(found.timestamp) };
  }

  /** Waits at the broker until there is something from `offset` on, at most `waitMs`. */
  fetch(topic: string, partition: number, offset: number, { bytesMax, waitMs }: { bytesMax: number; waitMs: number }): Promise<Fetched> {
    const request = (): Writer =>
      Writer.create()
        .appendInt32(CONSUMER)
        .appendInt32(waitMs)
        .appendInt32(1)
        .appendInt32(bytesMax)
        .appendInt8(READ_COMMITTED)
        // No session: each fetch says all of it.
        .appendInt32(0)
        .appendInt32(-1)
        .appendInt32(1)
        .appendString(topic, false)
        .appendInt32(1)
        .appendInt32(partition)
        .appendInt32(-1)
        .appendInt64(BigInt(offset))
        .appendInt64(-1n)
        .appendInt32(bytesMax)
        .appendInt32(0)
        .appendString("", false);
    return this.#asked(
      () =>
        new Promise<Fetched>((resolve, reject) => {
          const parse = (_id: number, _key: number, _version: number, reader: Reader): Fetched => readFetched(reader);
          this.#connection.send<Fetched>(FETCH_KEY, FETCH_VERSION, request, parse, false, false, (error, fetched) => {
            if (error || !fetched) reject(error ?? new LambentError("Throttled", "The broker answered nothing."));
            else resolve(fetched);
          });
        }),
    );
  }

  /** What is wrong with a topic or a partition is part of the answer; the library throws it. */
  async #metadata(name: string): Promise<Awaited<ReturnType<typeof metadataV10.api.async>>> {
    try {
      return await metadataV10.api.async(this.#connection, [name], false, false);
    } catch (error) {
      if (error instanceof ResponseError) return error.response as Awaited<ReturnType<typeof metadataV10.api.async>>;
      throw error;
    }
  }

  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw failed("The broker did not answer as it should", error);
    }
  }
}

const UNKNOWN_TOPIC = 3;

function readFetched(reader: Reader): Fetched {
  reader.readInt32();
  const errorCode = reader.readInt16();
  reader.readInt32();
  const none: Fetched = { errorCode, first: 0, end: 0, aborted: [], recordSet: Buffer.alloc(0) };
  if (errorCode !== 0 || reader.readInt32() < 1) return none;
  reader.readString(false);
  if (reader.readInt32() < 1) return none;
  reader.readInt32();
  const partitionError = reader.readInt16();
  const highWatermark = Number(reader.readInt64());
  const lastStable = Number(reader.readInt64());
  const first = Number(reader.readInt64());
  const aborted =
    reader.readNullableArray((each) => ({ producerId: each.readInt64(), firstOffset: Number(each.readInt64()) }), false, false) ?? [];
  reader.readInt32();
  return {
    errorCode: partitionError,
    first,
    end: lastStable < 0 ? highWatermark : lastStable,
    aborted,
    recordSet: reader.readBytes(false),
  };
}

/** Why something went wrong, down to what the protocol or the system said. */
function failed(what: string, error: unknown): LambentError {
  if (isLambentError(error)) return error;
  const reasons = new Set<string>();
  for (let each = error; each instanceof Error && reasons.size < REASONS_MAX; each = each.cause) reasons.add(each.message);
  if (error instanceof ResponseError) for (const each of error.errors) if (each instanceof Error) reasons.add(each.message);
  return new LambentError("Throttled", `${what}: ${[...reasons].join(" ").slice(0, 400)}`);
}

const REASONS_MAX = 5;
