/** A Kafka listener over a real loopback socket, on streams in memory. */
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { type Clock, seededRandom, systemClock, systemSecureRandom } from "../../../src/base/index.ts";
import type { Arrival, KafkaDependencies } from "../../../src/gateway/kafka/connections.ts";
import { KafkaDoor } from "../../../src/gateway/kafka/kafka-door.ts";
import type { Realm } from "../../../src/model/index.ts";
import { createCredentials, type Credentials, ephemeralSecrets } from "../../../src/security/index.ts";
import { type ConsumerGroups, type GroupSettings, openConsumerGroups, openStreams, type Streams } from "../../../src/streams/index.ts";
import { openMemoryStore } from "../../../src/storage/index.ts";

export const REALM: Realm = { account: "000000000000", region: "us-east-1" };
export const ROOT_KEY = { accessKeyId: "AKIATESTTESTTESTTEST", secretAccessKey: "a-secret-for-tests-only", account: REALM.account };

export interface KafkaWorldOptions {
  readonly clock?: Clock;
  readonly settings?: Partial<KafkaDependencies["settings"]>;
  readonly groupSettings?: Partial<GroupSettings>;
  /** Everybody signs in. */
  readonly strangers?: boolean;
  readonly allows?: KafkaDependencies["allows"];
  readonly caller?: Arrival["caller"];
}

export interface KafkaWorld extends AsyncDisposable {
  readonly port: number;
  readonly broker: string;
  readonly streams: Streams;
  readonly groups: ConsumerGroups;
  readonly credentials: Credentials;
  readonly door: KafkaDoor;
  /** What was reported as a defect: nothing ever should be. */
  readonly defects: unknown[];
  close(): Promise<void>;
}

/** Starts a listener; `close` ends everything that it holds. */
export async function openKafkaWorld(options: KafkaWorldOptions = {}): Promise<KafkaWorld> {
  const { clock = systemClock } = options;
  const defects: unknown[] = [];
  const reportDefect = (error: unknown): void => void defects.push(error);
  const store = openMemoryStore();
  const streams = await openStreams({ store, clock, random: seededRandom(1), secureRandom: systemSecureRandom, onProblem: reportDefect });
  const settings = { initialRebalanceDelayMs: 0, ...options.groupSettings };
  const groups = await openConsumerGroups({ store, clock, secureRandom: systemSecureRandom, streams, onProblem: reportDefect, settings });
  const { tokenKey } = ephemeralSecrets(systemSecureRandom);
  const credentials = createCredentials({ rootKeys: [ROOT_KEY], tokenKey, clock, secureRandom: systemSecureRandom });
  const door = new KafkaDoor({
    streams: async () => streams,
    groups: async () => groups,
    credentials,
    allows: options.allows ?? (() => false),
    clock,
    region: REALM.region,
    clusterId: "lambent-for-tests-0001",
    settings: { autoCreate: true, partitions: 1, ...options.settings },
    reportDefect,
  });
  const principal = { kind: "root", account: REALM.account, accessKeyId: ROOT_KEY.accessKeyId } as const;
  const admitted = options.strangers ? undefined : { principal, realm: REALM };
  const server = createServer((socket) => {
    const advertised = { host: socket.localAddress ?? "", port: socket.localPort ?? 0 };
    door.serve(socket, { advertised, admitted, ...(options.caller ? { caller: options.caller } : {}) });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    server.close();
    await door.close();
    await groups.close();
    await streams.close();
    await store.close();
  };
  return { port, broker: `127.0.0.1:${port}`, streams, groups, credentials, door, defects, close, [Symbol.asyncDispose]: close };
}
