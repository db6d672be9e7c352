/** Topics of brokers elsewhere: another Lambent's listener on loopback is one. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { test } from "node:test";
import { LambentError, turnOfTheLoop } from "../../../src/base/index.ts";
import type { KafkaAccess, StreamMapping, WantedStart, WantedStream } from "../../../src/sources/index.ts";
import { type KafkaWorld, openKafkaWorld, REALM as THEIR_REALM, ROOT_KEY } from "../../gateway/kafka/world.ts";
import { REALM, StreamWorld, valuesOf } from "./world.ts";

const TURNS_MAX = 200_000;

/** A broker whose connections can be cut. */
interface Elsewhere extends AsyncDisposable {
  readonly kafka: KafkaWorld;
  readonly server: string;
  connections(): number;
  cut(): void;
}

async function openElsewhere(options: { readonly partitions?: number; readonly strangers?: boolean } = {}): Promise<Elsewhere> {
  const { partitions = 1, strangers = false } = options;
  const kafka = await openKafkaWorld();
  await kafka.streams.create(THEIR_REALM, "orders", { shards: partitions, madeBy: "kafka" });
  const sockets = new Set<Socket>();
  const principal = { kind: "root", account: THEIR_REALM.account, accessKeyId: ROOT_KEY.accessKeyId } as const;
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => undefined);
    const { port } = listener.address() as AddressInfo;
    kafka.door.serve(socket, {
      advertised: { host: "127.0.0.1", port },
      admitted: strangers ? undefined : { principal, realm: THEIR_REALM },
    });
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    ...{ kafka, cut, server: `127.0.0.1:${(listener.address() as AddressInfo).port}` },
    connections: () => sockets.size,
    async [Symbol.asyncDispose]() {
      listener.close();
      cut();
      await kafka.close();
      assert.deepEqual(kafka.defects, []);
    },
  };
}

async function put({ kafka }: Elsewhere, values: readonly string[], partition = 0): Promise<void> {
  const log = await kafka.streams.partition(THEIR_REALM, "orders", partition);
  await log.append(
    values.map((value) => ({
      key: Buffer.from("k"),
      value: Buffer.from(value),
      timestamp: kafka.streams.get(THEIR_REALM, "orders").createdAt,
    })),
  );
}

function orders({ server }: Elsewhere, start: WantedStart = { kind: "trimHorizon" }, access: readonly KafkaAccess[] = []): WantedStream {
  return { kind: "stream", stream: "orders", form: "kafka", cluster: { kind: "selfManaged", servers: [server], access }, start };
}

/** What goes over sockets takes its time, and the clock stands. */
async function until(world: StreamWorld, isSo: () => boolean, stepMs = 0): Promise<void> {
  for (let turn = 0; turn < TURNS_MAX; turn += 1) {
    if (isSo()) return;
    await turnOfTheLoop();
    await world.clock.advance(turn % 20 === 0 ? stepMs : 0);
  }
  assert.fail("it never came to be so");
}

const seen = ({ calls }: StreamWorld): string[] => calls.flatMap(({ event }) => valuesOf(event));
const problemOf = (world: StreamWorld, { uuid }: { readonly uuid: string }): string => {
  const result = world.sources.result(uuid);
  return result?.kind === "problem" ? result.what : "";
};

async function ended(world: StreamWorld, uuid: string): Promise<void> {
  await world.sources.remove(REALM, uuid);
  await world.sources.settled();
}

test("a topic elsewhere is read as ours are, its position is kept here, and a crash repeats nothing that was done (P5)", async () => {
  await using elsewhere = await openElsewhere({ partitions: 2 });
  const world = await StreamWorld.open();
  await put(elsewhere, ["1", "2"]);
  await put(elsewhere, ["3"], 1);
  const { uuid, source } = (await world.map({}, orders(elsewhere))) as StreamMapping;
  assert.deepEqual(source.form === "kafka" && source.cluster, { kind: "external", servers: [elsewhere.server], access: [] });
  await until(world, () => seen(world).length === 3);
  const [first] = world.calls.map(
    ({ event }) => event as { eventSource: string; bootstrapServers: string; records: Record<string, { offset: number }[]> },
  );
  assert.deepEqual([first?.eventSource, first?.bootstrapServers], ["SelfManagedKafka", elsewhere.server]);
  await until(world, () => elsewhere.connections() === 2);
  // Which partition's batch ends first is chance.
  const outcomes = (await world.records()).map(({ offsets, state }) => `${offsets?.first} to ${offsets?.last} ${state.kind}`);
  assert.deepEqual(outcomes.toSorted(), ["0 to 0 ended", "0 to 1 ended"]);
  await world.crash();
  await put(elsewhere, ["4"]);
  await until(world, () => seen(world).length === 4);
  assert.deepEqual(seen(world).toSorted(), ["1", "2", "3", "4"]);
  await ended(world, uuid);
  assert.deepEqual(world.problems, []);
});

test("LATEST is behind what is there, and a time is where the topic has it", async () => {
  await using elsewhere = await openElsewhere();
  const world = await StreamWorld.open();
  await put(elsewhere, ["1"]);
  const { uuid } = await world.map({}, orders(elsewhere, { kind: "latest" }));
  await put(elsewhere, ["2"]);
  await until(world, () => seen(world).length === 1);
  assert.deepEqual(seen(world), ["2"]);
  await ended(world, uuid);
  await until(world, () => elsewhere.connections() === 0);
  const later = await world.map({}, orders(elsewhere, { kind: "at", time: 0 }));
  await until(world, () => seen(world).length === 3);
  await ended(world, later.uuid);
});

test("partitions that come later are found, and a topic that does not exist yet is waited for", async () => {
  await using elsewhere = await openElsewhere();
  const world = await StreamWorld.open();
  const { uuid } = await world.map({}, orders(elsewhere));
  await until(world, () => elsewhere.connections() === 1);
  await elsewhere.kafka.streams.addPartitions(THEIR_REALM, "orders", 3);
  await put(elsewhere, ["1"], 2);
  await until(world, () => seen(world).length === 1, 10_000);
  const other = await world.map({}, { ...orders(elsewhere), stream: "returns" });
  await until(world, () => problemOf(world, other).includes("returns does not exist"), 1_000);
  await elsewhere.kafka.streams.create(THEIR_REALM, "returns", { shards: 1, madeBy: "kafka" });
  await (await elsewhere.kafka.streams.partition(THEIR_REALM, "returns", 0)).append([{ key: undefined, value: Buffer.from("9") }]);
  await until(world, () => seen(world).includes("9"), 10_000);
  for (const each of [uuid, other.uuid]) await ended(world, each);
});

test("connections that break, and brokers that may not be reached, are tried again, and nothing is lost or repeated", async () => {
  await using elsewhere = await openElsewhere();
  const world = await StreamWorld.open();
  const { reach } = world;
  world.reach = async (host) => Promise.reject(new LambentError("EgressRefused", `${host} is not a public address.`));
  const { uuid } = await world.map({}, orders(elsewhere));
  await until(world, () => problemOf(world, { uuid }).includes("not a public address"), 1_000);
  world.reach = reach;
  for (let round = 1; round <= 5; round += 1) {
    await put(elsewhere, [String(round)]);
    await until(world, () => seen(world).length === round, 1_000);
    elsewhere.cut();
  }
  assert.deepEqual(seen(world), ["1", "2", "3", "4", "5"]);
  await ended(world, uuid);
  assert.deepEqual(world.problems, []);
});

test("a mapping signs in with what a variable has, and says of a refusal neither name nor password", async () => {
  await using elsewhere = await openElsewhere({ strangers: true });
  const world = await StreamWorld.open();
  await put(elsewhere, ["1"]);
  const access = [{ type: "BASIC_AUTH", uri: "env:LAMBENT_SECRET_ORDERS" }];
  const { uuid } = await world.map({}, orders(elsewhere, { kind: "trimHorizon" }, access));
  await until(world, () => problemOf(world, { uuid }).includes("LAMBENT_SECRET_ORDERS is not set"), 1_000);
  const secret = (password: string) => JSON.stringify({ username: ROOT_KEY.accessKeyId, password });
  world.environment["LAMBENT_SECRET_ORDERS"] = secret("wrong-horse");
  await until(world, () => /uthentication/u.test(problemOf(world, { uuid })), 1_000);
  assert.ok(!problemOf(world, { uuid }).includes("horse"));
  world.environment["LAMBENT_SECRET_ORDERS"] = secret(ROOT_KEY.secretAccessKey);
  await until(world, () => seen(world).length === 1, 1_000);
  await ended(world, uuid);
});

test("what cannot be a broker, or a way to sign in, is refused when the mapping is made", async () => {
  await using elsewhere = await openElsewhere();
  const world = await StreamWorld.open();
  const refused = async (change: Partial<WantedStream>, what: RegExp): Promise<void> => {
    await assert.rejects(world.map({}, { ...orders(elsewhere), ...change } as WantedStream), what);
  };
  const cluster = (servers: readonly string[], access: readonly KafkaAccess[] = []) =>
    ({ cluster: { kind: "selfManaged", servers, access } }) as Partial<WantedStream>;
  await refused(cluster(["kafka.example"]), /host:port/u);
  await refused(cluster(["a:9093"], [{ type: "CLIENT_CERTIFICATE_TLS_AUTH", uri: "env:LAMBENT_SECRET_X" }]), /not built/u);
  await refused(cluster(["a:9093"], [{ type: "BASIC_AUTH", uri: "arn:aws:secretsmanager:eu-west-1:1:secret:x" }]), /LAMBENT_SECRET_/u);
  await refused(cluster(["a:9093"], [{ type: "BASIC_AUTH", uri: "env:HOME" }]), /LAMBENT_SECRET_/u);
  await refused({ ...orders(elsewhere), stream: "nothing", start: { kind: "latest" } } as Partial<WantedStream>, /nothing does not exist/u);
});
