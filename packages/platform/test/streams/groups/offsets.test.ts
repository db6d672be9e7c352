/** Committed offsets: who may, what stays, what goes. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Fault, openMemoryStore, type Store } from "../../../src/storage/index.ts";
import { groupCell } from "../../../src/streams/groups/group-record.ts";
import { subscribedTopics } from "../../../src/streams/groups/index.ts";
import { openGroupsWorld, REALM, SESSION_MS, subscription } from "./world.ts";

const SEED = Number(process.env["LAMBENT_TEST_SEED"] ?? 20_261_122);
const DAY_MS = 86_400_000;

describe("committed offsets", () => {
  it("are there after a restart, and members are asked to come again (P1)", async () => {
    const world = await openGroupsWorld();
    world.makeStream("t", 3);
    const member = world.client("c");
    const part = member.takePart();
    await world.clock.advance(300);
    await part;
    assert.equal(await member.commit(1, 42), "settled");
    await world.restart();
    assert.deepEqual(await world.offsets("t", [0, 1, 2]), [-1, 42, -1]);
    assert.equal(await member.beat(), "UNKNOWN_MEMBER_ID");
    assert.equal(await member.commit(1, 43), "UNKNOWN_MEMBER_ID");
    assert.deepEqual(world.groups.list(REALM), [{ group: "g", protocolType: "consumer", state: "Empty" }]);
    member.member = "";
    const again = member.takePart();
    await world.clock.advance(300);
    await again;
    assert.equal(member.generation, 2, "generations go on, so that no old one is taken for a new one");
    await world.groups.close();
    assert.deepEqual(world.problems, []);
  });

  it("of many partitions are in one commit, and are read back at once and one by one", async () => {
    const world = await openGroupsWorld();
    world.makeStream("t", 1_200);
    const all = Array.from({ length: 1_200 }, (_, index) => index);
    await world.commit("t", Object.fromEntries(all.slice(0, 400).map((index) => [index, index * 2])));
    assert.equal(await openMemoryStore({ disk: world.disk }).revision(groupCell(REALM, "g")), 1);
    await world.commit("t", Object.fromEntries(all.slice(400).map((index) => [index, index * 2])));
    assert.deepEqual(
      await world.offsets("t", all),
      all.map((index) => index * 2),
    );
    assert.deepEqual(await world.offsets("t", [7, 1_199]), [14, 2_398]);
    const every = await world.groups.fetchOffsets(REALM, { group: "g" });
    assert.equal(every.kind === "offsets" && every.topics[0]?.partitions.length, 1_200);
    await world.groups.close();
  });

  it("are there behind a restart although the group itself could not be written before them", async () => {
    let busy = 1;
    const faults = ({ kind }: { readonly kind: string }): Fault | undefined =>
      kind === "commit" && busy-- > 0 ? { kind: "busy" } : undefined;
    const world = await openGroupsWorld({ initialRebalanceDelayMs: 0 }, faults);
    world.makeStream("t", 2);
    // Its first generation is not noted: nobody waits for that.
    const member = world.client("a");
    const taking = member.takePart();
    await world.settle();
    await taking;
    assert.equal(await member.commit(0, 5), "settled");
    await world.restart();
    assert.deepEqual(await world.offsets("t", [0]), [5]);
    // Of two commits of one that is no member, the first is refused, and the second one waits behind it.
    busy = 1;
    const first = world.commit("t", { 0: 6 }, "other");
    await Promise.resolve();
    await Promise.resolve();
    const second = world.commit("t", { 1: 7 }, "other");
    assert.deepEqual([(await first).kind, (await second).kind], ["refused", "settled"]);
    assert.deepEqual(await world.offsets("t", [0, 1], "other"), [-1, 7]);
    await world.restart();
    assert.deepEqual(await world.offsets("t", [0, 1], "other"), [-1, 7]);
    await world.groups.close();
  });

  it("that come while a commit is under way go together, the last of a partition stands, and a fetch waits for them", async () => {
    let commits = 0;
    const release = Promise.withResolvers<void>();
    const faults = ({ kind }: { readonly kind: string }): Fault | undefined =>
      kind === "commit" && ++commits === 1 ? { kind: "acknowledgeLate", until: release.promise } : undefined;
    const world = await openGroupsWorld({}, faults);
    world.makeStream("t", 1);
    const written = [world.commit("t", { 0: 1_000 })];
    await world.settle();
    for (let offset = 0; offset < 50; offset++) written.push(world.commit("t", { 0: offset }));
    const read = world.offsets("t", [0]);
    await world.settle();
    assert.equal(commits, 1);
    release.resolve();
    await Promise.all(written);
    assert.deepEqual(await read, [49]);
    assert.equal(commits, 2);
    await world.groups.close();
  });

  it("are refused for partitions that are not, and with texts that are too long, each by itself", async () => {
    const world = await openGroupsWorld();
    world.makeStream("t", 1);
    const partitions = [
      { partition: 0, offset: 5, metadata: "\u0001".repeat(4_096) },
      { partition: 1, offset: 5, metadata: "" },
      { partition: -1, offset: 5, metadata: "" },
      { partition: 0, offset: -1, metadata: "" },
      { partition: 0, offset: 6, metadata: "é".repeat(2_049) },
    ];
    const topics = [
      { topic: "t", partitions },
      { topic: "x".repeat(30_000), partitions: [{ partition: 0, offset: 1, metadata: "" }] },
    ];
    const outcome = await world.groups.commitOffsets(REALM, { group: "g", generation: -1, member: "", topics });
    assert.equal(outcome.kind, "settled");
    assert.deepEqual(
      outcome.topics.flatMap((each) => each.partitions.map(({ error }) => error)),
      [
        undefined,
        "UNKNOWN_TOPIC_OR_PARTITION",
        "UNKNOWN_TOPIC_OR_PARTITION",
        "INVALID_REQUEST",
        "OFFSET_METADATA_TOO_LARGE",
        "UNKNOWN_TOPIC_OR_PARTITION",
      ],
    );
    const found = await world.groups.fetchOffsets(REALM, {
      group: "g",
      topics: [
        { topic: "t", partitions: [0] },
        { topic: "x".repeat(30_000), partitions: [0] },
      ],
    });
    assert.deepEqual(found.kind === "offsets" && found.topics[0]?.partitions, [
      { partition: 0, offset: 5, leaderEpoch: -1, metadata: "\u0001".repeat(4_096) },
    ]);
    await world.groups.close();
  });

  it("of whoever takes part in no group are taken only while the group has no members", async () => {
    const world = await openGroupsWorld();
    world.makeStream("t", 1);
    assert.equal((await world.commit("t", { 0: 1 })).kind, "settled");
    const member = world.client("c");
    const part = member.takePart();
    await world.clock.advance(300);
    await part;
    assert.deepEqual(await world.commit("t", { 0: 2 }), { kind: "refused", error: "UNKNOWN_MEMBER_ID" });
    assert.equal(await member.commit(0, 3), "settled");
    await world.groups.close();
  });

  it("are of one stream: another one that came to have its name has none", async () => {
    const world = await openGroupsWorld();
    world.makeStream("t", 1);
    await world.commit("t", { 0: 7 });
    world.makeStream("t", 1);
    assert.deepEqual(await world.offsets("t", [0]), [-1]);
    assert.equal(await world.groups.hasGroups(REALM, "t"), false);
    await world.groups.close();
  });

  it("that cannot be written are not acknowledged, and nothing is left of a group that was to begin with them", async () => {
    let busy = true;
    const world = await openGroupsWorld({}, ({ kind }) => (kind === "commit" && busy ? { kind: "busy" } : undefined));
    world.makeStream("t", 1);
    assert.deepEqual(await world.commit("t", { 0: 1 }), { kind: "refused", error: "COORDINATOR_NOT_AVAILABLE" });
    assert.deepEqual(world.groups.list(REALM), []);
    busy = false;
    await world.commit("t", { 0: 2 });
    await world.restart();
    assert.deepEqual(await world.offsets("t", [0]), [2]);
    await world.groups.close();
  });
});

describe("offsets that are past", () => {
  it("go a week after the group lost its last member, and the group with them", async () => {
    const world = await openGroupsWorld();
    world.makeStream("t", 2);
    const member = world.client("c");
    const part = member.takePart();
    await world.clock.advance(300);
    await part;
    await member.commit(0, 5);
    for (let past = 0; past < 10 * DAY_MS; past += DAY_MS) {
      // No timer of the group's runs meanwhile: heartbeats stand still with the clock, a day at a time.
      await member.beat();
      await world.clock.advance(SESSION_MS / 2);
      world.clock.jumpWall(DAY_MS);
    }
    assert.deepEqual(await world.offsets("t", [0]), [5], "it has members");
    await member.leave();
    await world.clock.advance(7 * DAY_MS - 700_000);
    assert.deepEqual(await world.offsets("t", [0]), [5]);
    await world.clock.advance(1_400_000);
    assert.deepEqual(await world.offsets("t", [0]), [-1]);
    assert.deepEqual(world.groups.list(REALM), []);
    await world.restart();
    assert.deepEqual(world.groups.list(REALM), []);
    assert.equal(world.clock.pendingCount, 0);
    await world.groups.close();
  });

  it("go each by its own time for who takes part in no group, or when the client said", async () => {
    const world = await openGroupsWorld();
    world.makeStream("t", 3);
    await world.commit("t", { 0: 1 });
    await world.commit("t", { 1: 1 }, "g", { retentionMs: 3_600_000 });
    await world.clock.advance(2 * 3_600_000);
    assert.deepEqual(await world.offsets("t", [0, 1]), [1, -1]);
    await world.clock.advance(3 * DAY_MS);
    await world.restart();
    await world.commit("t", { 2: 1 });
    await world.clock.advance(5 * DAY_MS);
    assert.deepEqual(await world.offsets("t", [0, 2]), [-1, 1], "also after a restart");
    await world.groups.close();
  });

  it("of topics that no member reads go while the group goes on", async () => {
    const world = await openGroupsWorld();
    for (const name of ["t", "u"]) world.makeStream(name, 1);
    await world.commit("t", { 0: 1 });
    await world.commit("u", { 0: 1 });
    const member = world.client("c", "g", { sessionTimeoutMs: 1_800_000 });
    const part = member.takePart();
    await world.clock.advance(300);
    await part;
    for (let past = 0; past < 8 * DAY_MS; past += 1_000_000) {
      assert.equal(await member.beat(), "alive");
      await world.clock.advance(1_000_000);
    }
    assert.deepEqual([await world.offsets("t", [0]), await world.offsets("u", [0])], [[1], [-1]]);
    await world.groups.close();
  });

  it("stay when they are committed anew while others go", async () => {
    const world = await openGroupsWorld();
    let seen = Promise.resolve();
    world.between = (store) => ({
      ...bound(store),
      async list(cell, range) {
        const rows = await store.list(cell, range);
        await seen;
        return rows;
      },
    });
    await world.restart();
    world.makeStream("t", 1);
    await world.commit("t", { 0: 1 });
    const release = Promise.withResolvers<void>();
    seen = release.promise;
    await world.clock.advance(8 * DAY_MS);
    // The row that was read is past; this one is not.
    assert.equal((await world.commit("t", { 0: 2 })).kind, "settled");
    release.resolve();
    await world.settle();
    assert.deepEqual(await world.offsets("t", [0]), [2]);
    assert.equal(world.state(), "Empty");
    await world.groups.close();
  });

  it("stay a week after a restart that the group's members did not outlive, however old they are", async () => {
    const world = await openGroupsWorld();
    world.makeStream("t", 1);
    const member = world.client("c");
    const part = member.takePart();
    await world.clock.advance(300);
    await part;
    await member.commit(0, 5);
    world.clock.jumpWall(30 * DAY_MS);
    await world.restart();
    await world.clock.advance(6 * DAY_MS);
    assert.deepEqual(await world.offsets("t", [0]), [5]);
    await world.clock.advance(2 * DAY_MS);
    assert.deepEqual(await world.offsets("t", [0]), [-1]);
    await world.groups.close();
  });

  it("go although the server was restarted meanwhile, and had been stopped with members in the group", async () => {
    const world = await openGroupsWorld();
    world.makeStream("t", 1);
    const member = world.client("c");
    const part = member.takePart();
    await world.clock.advance(300);
    await part;
    await member.commit(0, 5);
    for (let restarts = 0; restarts < 8; restarts++) {
      await world.restart();
      await world.clock.advance(DAY_MS);
    }
    assert.deepEqual(await world.offsets("t", [0]), [-1]);
    await world.groups.close();
  });
});

/** A store as a plain object, so that a test can put something in front of one method. */
function bound(store: Store): Store {
  return {
    durability: store.durability,
    commit: (...args) => store.commit(...args),
    revision: (...args) => store.revision(...args),
    get: (...args) => store.get(...args),
    getAll: (...args) => store.getAll(...args),
    list: (...args) => store.list(...args),
    read: (...args) => store.read(...args),
    cells: (...args) => store.cells(...args),
    close: () => store.close(),
  };
}

describe("groups as they are administrated", () => {
  it("are described with who is where, once they agree", async () => {
    const world = await openGroupsWorld();
    assert.equal(world.groups.describe(REALM, "g"), undefined);
    const member = world.client("worker");
    const part = member.takePart();
    await world.clock.advance(300);
    const assignment = Buffer.from(await part);
    assert.deepEqual(world.groups.describe(REALM, "g"), {
      group: "g",
      protocolType: "consumer",
      state: "Stable",
      protocol: "range",
      members: [{ member: member.member, clientId: "worker", clientHost: "/127.0.0.1", metadata: subscription("t"), assignment }],
    });
    await world.groups.close();
  });

  it("are removed with their offsets when they have no members", async () => {
    const world = await openGroupsWorld();
    world.makeStream("t", 600);
    assert.deepEqual(await world.groups.remove(REALM, "g"), { kind: "refused", error: "GROUP_ID_NOT_FOUND" });
    await world.commit("t", Object.fromEntries(Array.from({ length: 600 }, (_, index) => [index, 1])));
    const member = world.client("c");
    const part = member.takePart();
    await world.clock.advance(300);
    await part;
    assert.deepEqual(await world.groups.remove(REALM, "g"), { kind: "refused", error: "NON_EMPTY_GROUP" });
    await member.leave();
    const removing = world.groups.remove(REALM, "g");
    assert.equal(await member.commit(0, 2), "COORDINATOR_NOT_AVAILABLE", "nothing is committed among rows that go");
    assert.deepEqual(await removing, { kind: "removed" });
    assert.deepEqual(await world.offsets("t", [0, 599]), [-1, -1]);
    await world.restart();
    assert.deepEqual(world.groups.list(REALM), []);
    await world.groups.close();
  });

  it("stand as they were when their removal fails", async () => {
    let busy = false;
    const world = await openGroupsWorld({}, ({ kind }) => (kind === "commit" && busy ? { kind: "busy" } : undefined));
    world.makeStream("t", 1);
    await world.commit("t", { 0: 4 });
    busy = true;
    assert.deepEqual(await world.groups.remove(REALM, "g"), { kind: "refused", error: "COORDINATOR_NOT_AVAILABLE" });
    busy = false;
    assert.deepEqual(await world.offsets("t", [0]), [4]);
    assert.deepEqual(await world.groups.remove(REALM, "g"), { kind: "removed" });
    await world.groups.close();
  });

  it("forget single offsets, but not of topics that members read", async () => {
    const world = await openGroupsWorld();
    for (const name of ["t", "u"]) world.makeStream(name, 2);
    await world.commit("t", { 0: 1 });
    await world.commit("u", { 0: 1, 1: 1 });
    const part = world.client("c").takePart();
    await world.clock.advance(300);
    await part;
    const topics = [
      { topic: "t", partitions: [0] },
      { topic: "u", partitions: [0, 9] },
    ];
    const outcome = await world.groups.removeOffsets(REALM, { group: "g", topics });
    assert.deepEqual(outcome.kind === "settled" && outcome.topics.flatMap((each) => each.partitions.map(({ error }) => error)), [
      "GROUP_SUBSCRIBED_TO_TOPIC",
      undefined,
      "UNKNOWN_TOPIC_OR_PARTITION",
    ]);
    assert.deepEqual([await world.offsets("t", [0]), await world.offsets("u", [0, 1])], [[1], [-1, 1]]);
    await world.groups.close();
  });

  it("keep a topic from being split: those that read it, and those that came somewhere in it", async () => {
    const world = await openGroupsWorld();
    for (const name of ["t", "u", "free"]) world.makeStream(name, 1);
    await world.commit("u", { 0: 1 }, "other");
    const part = world.client("c").takePart();
    await world.clock.advance(300);
    await part;
    const has = await Promise.all(["t", "u", "free"].map((topic) => world.groups.hasGroups(REALM, topic)));
    assert.deepEqual(has, [true, true, false]);
    await world.groups.close();
  });

  it("have names of any characters, each a cell of its own", async () => {
    const world = await openGroupsWorld();
    world.makeStream("t", 1);
    const names = ["a/b", "a", "a/b/0", "%61", "ä".repeat(500), `${"x".repeat(1_000)}1`, `${"x".repeat(1_000)}2`, "=a", "~a"];
    for (const [index, name] of names.entries()) await world.commit("t", { 0: index }, name);
    await world.restart();
    for (const [index, name] of names.entries()) assert.deepEqual(await world.offsets("t", [0], name), [index], name);
    assert.deepEqual(
      world.groups.list(REALM).map(({ group }) => group),
      [...names].sort(),
    );
    await world.groups.close();
  });
});

describe("offsets, whatever members do", () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant("commit" as const), who: fc.nat(3), partition: fc.nat(3) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant("take part" as const), who: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant("leave" as const), who: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(100, 200, SESSION_MS) }) },
    { weight: 1, arbitrary: fc.constant({ kind: "restart" as const }) },
  );

  it("are what was acknowledged last, over restarts, and never from an older generation", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
        const world = await openGroupsWorld();
        world.makeStream("t", 4);
        const clients = Array.from({ length: 4 }, (_, index) => world.client(`c${index}`));
        const acknowledged = [-1, -1, -1, -1];
        let next = 0;
        for (const each of steps) {
          const client = "who" in each ? clients[each.who] : undefined;
          if (each.kind === "wait") await world.clock.advance(each.ms);
          if (each.kind === "restart") await world.restart();
          if (each.kind === "leave") await client?.leave();
          // What a rebalance, a timeout or a restart makes of it, the next steps see.
          if (each.kind === "take part") client?.takePart().catch(() => (client.member = ""));
          if (each.kind === "commit" && client) {
            const { members, state } = world.groups.describe(REALM, "g") ?? { members: [], state: "Empty" };
            const outcome = await client.commit(each.partition, ++next);
            if (outcome === "settled") acknowledged[each.partition] = next;
            const isGroupless = client.generation < 0 && client.member === "" && state === "Empty";
            const isMember = isGroupless || members.some(({ member }) => member === client.member);
            if (outcome === "settled") assert.ok(isMember, "who commits is a member");
            else assert.ok(!isMember || state === "CompletingRebalance" || outcome === "ILLEGAL_GENERATION", outcome);
          }
          await world.settle();
          assert.deepEqual(await world.offsets("t", [0, 1, 2, 3]), acknowledged);
        }
        await world.groups.close();
        assert.deepEqual(world.problems, []);
      }),
      { seed: SEED, numRuns: 60 },
    );
  });
});

describe("what members say of themselves", () => {
  it("is read for topics, and whatever else the bytes are, nothing breaks (P8)", () => {
    assert.deepEqual(subscribedTopics(Buffer.concat([subscription("t", "ü"), Buffer.from("more")])), ["t", "ü"]);
    const huge = subscription("t");
    huge.writeInt32BE(2_147_483_647, 2);
    assert.equal(subscribedTopics(huge), undefined);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const topics = subscribedTopics(Buffer.from(bytes));
        assert.ok(topics === undefined || topics.length <= 20);
      }),
      { seed: SEED },
    );
  });
});
