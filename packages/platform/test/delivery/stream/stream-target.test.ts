import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { derivedId, LambentError } from "../../../src/base/index.ts";
import { type DeliveryPermission, streamTarget, Targets } from "../../../src/delivery/index.ts";
import type { Handing } from "../../../src/delivery/handing.ts";
import type { HandOver, ParcelOptions, ParcelSender } from "../../../src/outbox/index.ts";
import { hashKeyOf, type NewStream, shardFor, type Streams } from "../../../src/streams/index.ts";
import { allRecords, REALM, StreamWorld } from "../../streams/world.ts";

const ARN = `arn:aws:kinesis:${REALM.region}:${REALM.account}:stream/s`;
const SENDER: ParcelSender = {
  ...{ kind: "service", realm: REALM, service: "events.amazonaws.com" },
  ...{ sourceArn: "arn:aws:events:eu-central-1:000000000000:rule/r", roleArn: "arn:aws:iam::000000000000:role/r" },
};

/** A stream on a store in memory, in the table of targets. */
class TargetWorld {
  readonly streams: StreamWorld;
  readonly asked: DeliveryPermission[] = [];
  authorize: (permission: DeliveryPermission) => void = () => undefined;
  #opened: () => Pick<Streams, "get" | "partition">;

  constructor(streams: StreamWorld) {
    this.streams = streams;
    this.#opened = () => streams.streams;
  }

  static async open(stream: Partial<NewStream> = {}): Promise<TargetWorld> {
    const streams = await StreamWorld.open();
    await streams.partition({ madeBy: "kinesis", ...stream });
    return new TargetWorld(streams);
  }

  get targets(): Targets {
    const authorize = (permission: DeliveryPermission): void => {
      this.asked.push(permission);
      this.authorize(permission);
    };
    return new Targets([streamTarget({ streams: async () => this.#opened(), authorize })], this.streams.clock);
  }

  /** The target sees these streams from here on. */
  see(change: (streams: Streams) => Pick<Streams, "get" | "partition">): void {
    this.#opened = () => change(this.streams.streams);
  }

  /** Hands over, in order; whatever it does to the clock. */
  async handOver(handings: readonly Handing[]): Promise<string[]> {
    const outcomes = await this.targets.handOver(handings);
    return outcomes.map(said);
  }

  /** Values by shard. */
  async values(): Promise<string[][]> {
    const { shards } = this.streams.streams.get(REALM, "s");
    return Promise.all(shards.map(async ({ number }) => (await this.#recordsOf(number)).map(({ value }) => String(value))));
  }

  async #recordsOf(number: number) {
    return allRecords(await this.streams.streams.partition(REALM, "s", number));
  }
}

function said(outcome: HandOver): string {
  return outcome.kind === "later" || outcome.kind === "never" ? `${outcome.kind} ${outcome.refusal.code}` : outcome.kind;
}

function handing(value: string, options: ParcelOptions = {}, more: Partial<Pick<Handing, "id" | "again" | "once">> = {}): Handing {
  const parcel = { target: ARN, sender: SENDER, payload: Buffer.from(value), options, traceHeader: undefined };
  const from = { source: "bus", origin: "o", subject: undefined, dueAt: undefined, cause: undefined, correlation: "c" } as const;
  return { id: derivedId(0, value), parcel, from, again: false, ...more };
}

const numbered = (number: number, source = "a cell"): Handing =>
  handing(String(number), { partitionKey: `key ${number % 3}` }, { once: { source, number } });

describe("a stream as a target", () => {
  test("takes a parcel as one record in the shard of its partition key, as PutRecord puts it", async () => {
    for (const madeBy of ["kinesis", "kafka"] as const) {
      const world = await TargetWorld.open({ shards: 4, madeBy });
      const stream = world.streams.streams.get(REALM, "s");
      const keys = Array.from({ length: 40 }, (_, index) => `key ${index}`);
      assert.deepEqual(new Set(await world.handOver(keys.map((key) => handing(`of ${key}`, { partitionKey: key })))), new Set(["taken"]));
      const wanted = stream.shards.map((shard) =>
        keys.filter((key) => shardFor(stream, hashKeyOf(key)) === shard).map((key) => `of ${key}`),
      );
      assert.ok(wanted.every((each) => each.length > 0));
      assert.deepEqual(await world.values(), wanted, "of one shard in their order");
      const [first] = await allRecords(await world.streams.streams.partition(REALM, "s", 0));
      assert.equal(`of ${first?.key?.toString()}`, first?.value?.toString());
      assert.deepEqual([first?.headers, first?.timestamp], [[], world.streams.clock.now()]);
      await world.streams.close();
    }
  });

  test("has its handing's id for a key where the parcel has none: such records are spread", async () => {
    const world = await TargetWorld.open({ shards: 2 });
    const handings = Array.from({ length: 20 }, (_, index) => handing(String(index)));
    await world.handOver(handings);
    const counts = (await world.values()).map(({ length }) => length);
    assert.ok(Math.min(...counts) > 0, counts.join(" "));
    const records = await allRecords(await world.streams.streams.partition(REALM, "s", 0));
    for (const { key, value } of records) assert.equal(key?.toString(), handing(String(value)).id);
    await world.streams.close();
  });

  test("puts what may have come before again, and numbered handings once: also after a restart, and more than it knows by number", async () => {
    const world = await TargetWorld.open({ shards: 2 });
    const page = Array.from({ length: 40 }, (_, number) => numbered(number));
    const taken = page.map(() => "taken");
    assert.deepEqual(await world.handOver(page), taken);
    assert.deepEqual(await world.handOver(page), taken);
    const before = await world.values();
    assert.equal(before.flat().length, 40);
    await world.streams.restart();
    assert.deepEqual(await world.handOver([...page, numbered(40)]), [...taken, "taken"]);
    assert.deepEqual(
      (await world.values()).flat().sort((one, other) => Number(one) - Number(other)),
      Array.from({ length: 41 }, (_, number) => String(number)),
    );
    assert.deepEqual(await world.handOver([numbered(7, "another cell")]), ["taken"]);
    assert.equal((await world.values()).flat().length, 42, "another source has numbers of its own");
    const again = handing("again", {}, { again: true });
    await world.handOver([again, again]);
    assert.equal((await world.values()).flat().filter((value) => value === "again").length, 2, "at least once");
    await world.streams.close();
  });

  test("follows a shard that is split between the look and the append", async () => {
    const world = await TargetWorld.open();
    const before = world.streams.streams.get(REALM, "s");
    await world.streams.streams.split(REALM, "s", 0, String(2n ** 127n));
    // What was looked up a moment ago, as often as a record is looked up before it is put.
    let stale = 2;
    world.see((streams) => ({
      get: (realm, name) => (stale-- > 0 ? before : streams.get(realm, name)),
      partition: streams.partition.bind(streams),
    }));
    assert.deepEqual(await world.handOver([handing("moved", { partitionKey: "k" })]), ["taken"]);
    assert.deepEqual((await world.values()).flat(), ["moved"]);
    assert.deepEqual((await world.values())[0], []);
    stale = Number.POSITIVE_INFINITY;
    assert.deepEqual(await world.handOver([handing("moved", { partitionKey: "k" })]), ["later THROTTLING"]);
    await world.streams.close();
  });
});

describe("what a stream does not take", () => {
  test("says what keeps it from being taken, and whether it can be taken later", async () => {
    const world = await TargetWorld.open({ settings: { recordBytesMax: 100 } });
    const to = (target: string): Handing => ({ ...handing("x"), parcel: { ...handing("x").parcel, target } });
    const cases: readonly (readonly [Handing, string])[] = [
      [to(ARN.replace("/s", "/nowhere")), "never RESOURCE_NOT_FOUND"],
      [to(ARN.replace("eu-central-1", "us-east-1")), "never RESOURCE_NOT_FOUND"],
      [to(ARN.replace("000000000000", "111111111111")), "never RESOURCE_NOT_FOUND"],
      [to(`${ARN}/consumer/c:1`), "never RESOURCE_NOT_FOUND"],
      [handing("x".repeat(100), { partitionKey: "k" }), "never SDK_CLIENT_ERROR"],
      [handing("x", { partitionKey: "" }), "never SDK_CLIENT_ERROR"],
      [handing("x", { partitionKey: "k".repeat(257) }), "never SDK_CLIENT_ERROR"],
      [handing("x", { partitionKey: "k".repeat(100_000) }), "never SDK_CLIENT_ERROR"],
    ];
    for (const [each, wanted] of cases) assert.deepEqual(await world.handOver([each]), [wanted], each.parcel.target);
    world.streams.fault = ({ kind }) => (kind === "commit" ? { kind: "busy" } : undefined);
    assert.deepEqual(await world.handOver([handing("1"), handing("2")]), ["later THROTTLING", "wait"], "none is put behind it");
    world.streams.fault = () => undefined;
    assert.deepEqual(await world.values(), [[]]);
    await world.streams.streams.update(REALM, "s", (record) => ({
      ...record,
      settings: { ...record.settings, recordBytesMax: 1_048_576 },
    }));
    assert.deepEqual(await world.handOver([handing("x", { partitionKey: "🔑".repeat(256) })]), ["taken"], "characters, not halves of them");
    await world.streams.close();
  });

  test("is what the sender may not put: it is asked for kinesis:PutRecord, with the stream's policy", async () => {
    const world = await TargetWorld.open();
    await world.streams.streams.update(REALM, "s", (record) => ({ ...record, kinesis: { policy: "{}" } }));
    world.authorize = () => {
      throw new LambentError("AccessDenied", "not you");
    };
    assert.deepEqual(await world.handOver([handing("x")]), ["never NO_PERMISSIONS"]);
    await assert.rejects(world.targets.admit(SENDER, ARN), { code: "AccessDenied" });
    assert.deepEqual(await world.values(), [[]]);
    world.authorize = () => undefined;
    await world.targets.admit(SENDER, ARN);
    await assert.rejects(world.targets.admit(SENDER, ARN.replace("/s", "/nowhere")), { code: "NotFound" });
    assert.deepEqual(world.asked, Array(3).fill({ sender: SENDER, action: "kinesis:PutRecord", resource: ARN, resourcePolicy: "{}" }));
    await world.streams.close();
  });
});
