/** Groups that live in time. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type GroupsWorld, openGroupsWorld, REALM, REBALANCE_MS, SESSION_MS, subscription, type TestClient } from "./world.ts";

/** Members of one stable group, the first of which leads. */
async function stable(world: GroupsWorld, ...clients: readonly TestClient[]): Promise<void> {
  const parts = clients.map((client) => client.takePart());
  await world.clock.advance(300);
  await Promise.all(parts);
  assert.equal(world.state(), "Stable");
}

describe("a consumer group in time", () => {
  it("waits 100 ms for others before its first generation, and again while others come", async () => {
    const world = await openGroupsWorld();
    const [first, second, third] = [world.client("first"), world.client("second"), world.client("third")];
    const parts = [first.takePart()];
    await world.clock.advance(60);
    parts.push(second.takePart());
    await world.clock.advance(60);
    assert.equal(world.state(), "PreparingRebalance", "one came in the first stretch, so there is a second");
    await world.clock.advance(80);
    assert.deepEqual(
      (await Promise.all(parts)).map((part) => part.slice(-4)),
      ["of 2", "of 2"],
    );
    const late = third.takePart();
    await world.settle();
    assert.equal(await first.beat(), "REBALANCE_IN_PROGRESS");
    const all = await Promise.all([late, first.takePart(), second.takePart()]);
    assert.deepEqual(
      all.map((part) => part.slice(-4)),
      ["of 3", "of 3", "of 3"],
    );
    assert.equal(third.generation, 2);
    await world.groups.close();
  });

  it("does not wait at all where the operator says so", async () => {
    const world = await openGroupsWorld({ initialRebalanceDelayMs: 0 });
    const part = world.client("only").takePart();
    await world.clock.advance(0);
    assert.match(await part, /of 1$/);
    await world.groups.close();
  });

  it("puts out who is not heard of for a session, and calls the others", async () => {
    const world = await openGroupsWorld();
    const [alive, silent] = [world.client("alive"), world.client("silent")];
    await stable(world, alive, silent);
    for (let beats = 0; beats < 3; beats++) {
      assert.equal(await alive.beat(), "alive");
      await world.clock.advance(SESSION_MS / 3);
    }
    assert.equal(await alive.beat(), "REBALANCE_IN_PROGRESS");
    assert.match(await alive.takePart(), /of 1$/);
    assert.equal(await silent.beat(), "UNKNOWN_MEMBER_ID");
    await world.groups.close();
  });

  it("gives the lead to another when the leader leaves", async () => {
    const world = await openGroupsWorld();
    const [leader, other] = [world.client("leader"), world.client("other")];
    await stable(world, leader, other);
    assert.equal((await leader.leave()).kind, "left");
    const again = await other.joined();
    assert.deepEqual([again.leader, again.members.length], [other.member, 1]);
    await world.groups.close();
  });

  it("keeps a member's sync until the leader's", async () => {
    const world = await openGroupsWorld();
    const [leader, other] = [world.client("leader"), world.client("other")];
    const joins = [leader.joined(), other.joined()];
    await world.clock.advance(300);
    await Promise.all(joins);
    const early = other.sync();
    await world.settle();
    assert.equal(world.state(), "CompletingRebalance");
    await leader.sync({ [other.member]: "yours" });
    const result = await early;
    assert.equal(result.kind === "synced" && result.assignment.toString(), "yours");
    await world.groups.close();
  });

  it("does not wait for members beyond the time they ask for to come again", async () => {
    const world = await openGroupsWorld();
    const [quick, slow] = [world.client("quick"), world.client("slow")];
    await stable(world, quick, slow);
    const again = quick.joined({ protocols: [{ name: "range", metadata: subscription("t", "u") }] });
    // It is busy with a batch, but alive.
    for (let past = 0; past < REBALANCE_MS; past += 5_000) {
      assert.equal(await slow.beat(), "REBALANCE_IN_PROGRESS");
      await world.clock.advance(5_000);
    }
    assert.deepEqual(
      (await again).members.map(({ member }) => member),
      [quick.member],
    );
    assert.equal(await slow.beat(), "UNKNOWN_MEMBER_ID");
    await world.groups.close();
  });

  it("puts out members that joined and never ask for their part", async () => {
    const world = await openGroupsWorld();
    const [leader, half] = [world.client("leader"), world.client("half")];
    const joins = [leader.joined(), half.joined()];
    await world.clock.advance(300);
    await Promise.all(joins);
    await leader.sync({});
    for (let past = 0; past < REBALANCE_MS; past += 5_000) {
      await Promise.all([leader.beat(), half.beat()]);
      await world.clock.advance(5_000);
    }
    assert.equal(await half.beat(), "UNKNOWN_MEMBER_ID");
    assert.equal(await leader.beat(), "REBALANCE_IN_PROGRESS");
    await world.groups.close();
  });

  it("waits for who was given an id, but no longer than its session", async () => {
    const world = await openGroupsWorld();
    const [member, never] = [world.client("member"), world.client("never")];
    await stable(world, member);
    assert.equal((await never.join()).kind, "refused");
    const again = member.takePart();
    await world.clock.advance(SESSION_MS - 1);
    assert.equal(world.state(), "PreparingRebalance");
    await world.clock.advance(1);
    assert.match(await again, /of 1$/);
    await world.groups.close();
  });

  it("lets one that has joined wait for longer than its session: it has been answered nothing", async () => {
    const world = await openGroupsWorld();
    const [waiting, slow] = [world.client("waiting"), world.client("slow")];
    await stable(world, waiting, slow);
    const again = waiting.takePart({ protocols: [{ name: "range", metadata: subscription("other") }] });
    for (let past = 0; past < 3 * SESSION_MS; past += 5_000) {
      await slow.beat();
      await world.clock.advance(5_000);
    }
    const [part] = await Promise.all([again, slow.takePart()]);
    assert.match(part, /of 2$/);
    await world.groups.close();
  });

  it("forgets a newcomer whose client went away while it waited, after five minutes", async () => {
    const world = await openGroupsWorld();
    const patient = { rebalanceTimeoutMs: 900_000 };
    const [member, gone] = [world.client("member", "g", patient), world.client("gone", "g", patient)];
    await stable(world, member);
    const never = assert.rejects(gone.joined(), /UNKNOWN_MEMBER_ID/);
    await world.settle();
    for (let past = 0; past < 300_000; past += 5_000) {
      assert.equal(await member.beat(), "REBALANCE_IN_PROGRESS");
      await world.clock.advance(5_000);
    }
    const again = member.takePart();
    await never;
    assert.match(await again, /of 1$/);
    await world.groups.close();
  });

  it("gives members their time again after the process stood still", async () => {
    const world = await openGroupsWorld();
    const member = world.client("member");
    await stable(world, member);
    const { clock } = world;
    const monotonicMs = clock.monotonicMs.bind(clock);
    // The timer is late by a minute: a laptop slept.
    clock.monotonicMs = () => monotonicMs() + 60_000;
    await clock.advance(SESSION_MS);
    assert.equal(await member.beat(), "alive");
    await clock.advance(2_000);
    assert.equal(world.state(), "Stable");
    await world.groups.close();
  });
});

describe("static members", () => {
  const named = { instance: "worker-1", memberIdRequired: false };

  it("take their part again after a restart, without a rebalance, and fence off their former selves", async () => {
    const world = await openGroupsWorld();
    const [leader, before] = [world.client("leader", "g", { memberIdRequired: false }), world.client("before", "g", named)];
    await stable(world, leader, before);
    const after = world.client("after", "g", named);
    const joined = await after.joined();
    assert.deepEqual([joined.generation, joined.members.length], [1, 0]);
    const synced = await after.sync();
    assert.equal(synced.kind === "synced" && synced.assignment.toString(), `${before.member} of 2`);
    assert.equal(await leader.beat(), "alive");
    assert.equal(await before.beat(), "FENCED_INSTANCE_ID");
    assert.equal(await before.commit(0, 1), "FENCED_INSTANCE_ID");
    await world.groups.close();
  });

  it("that lead are told that there is nothing to share out; old ones are told that their former self leads", async () => {
    const world = await openGroupsWorld();
    const leader = world.client("leader", "g", named);
    await stable(world, leader);
    const after = await world.client("after", "g", named).joined();
    assert.deepEqual([after.skipAssignment, after.leader === after.member, after.members.length], [true, true, 1]);
    const old = await world.client("old", "g", named).joined({ canSkipAssignment: false });
    assert.deepEqual([old.skipAssignment, old.leader, old.members.length], [false, after.member, 0]);
    await world.groups.close();
  });

  it("keep their place in a rebalance they miss, and are waited for when nobody else is there", async () => {
    const world = await openGroupsWorld();
    const [other, worker] = [world.client("other"), world.client("worker", "g", { ...named, sessionTimeoutMs: 600_000 })];
    await stable(world, other, worker);
    await other.leave();
    await world.clock.advance(REBALANCE_MS + 1);
    assert.equal(world.state(), "PreparingRebalance");
    assert.match(await worker.takePart(), /of 1$/);
    await world.groups.close();
  });
});

describe("cooperative sharing out", () => {
  it("takes two generations: what moves is given up in the first and given out in the second", async () => {
    const world = await openGroupsWorld();
    const says = (owned: string) => ({
      protocols: [{ name: "cooperative-sticky", metadata: Buffer.concat([subscription("t"), Buffer.from(owned)]) }],
    });
    const [first, second] = [world.client("first"), world.client("second")];
    const alone = first.takePart(says(""));
    await world.clock.advance(300);
    await alone;
    const comes = second.takePart(says(""));
    await world.settle();
    assert.equal(await first.beat(), "REBALANCE_IN_PROGRESS");
    await Promise.all([comes, first.takePart(says("01"))]);
    assert.equal(first.generation, 2);
    // It has given up partition 1 and says so: others are called, nobody's session ends.
    const again = first.takePart(says("0"));
    assert.equal(await second.beat(), "REBALANCE_IN_PROGRESS");
    await Promise.all([again, second.takePart(says(""))]);
    assert.deepEqual([first.generation, second.generation], [3, 3]);
    assert.deepEqual([await first.beat(), await second.beat()], ["alive", "alive"]);
    await world.groups.close();
  });

  it("the protocol all know is chosen by vote", async () => {
    const world = await openGroupsWorld();
    const knows = (...names: readonly string[]) => ({ protocols: names.map((name) => ({ name, metadata: subscription("t") })) });
    const joins = [
      world.client("a").joined(knows("range", "sticky", "own")),
      world.client("b").joined(knows("sticky", "range")),
      world.client("c").joined(knows("sticky", "range")),
    ];
    await world.clock.advance(300);
    assert.deepEqual(
      (await Promise.all(joins)).map(({ protocol }) => protocol),
      ["sticky", "sticky", "sticky"],
    );
    await world.groups.close();
  });
});

describe("what a coordinator refuses", () => {
  it("sessions outside the bounds, names that are none, more members than a group has", async () => {
    const world = await openGroupsWorld({ membersMax: 1 });
    const error = async (client: TestClient): Promise<string> => {
      const result = await client.join();
      return result.kind === "refused" ? result.error : result.kind;
    };
    assert.equal(await error(world.client("c", "g", { sessionTimeoutMs: 5_999 })), "INVALID_SESSION_TIMEOUT");
    assert.equal(await error(world.client("c", "g", { sessionTimeoutMs: 1_800_001 })), "INVALID_SESSION_TIMEOUT");
    assert.equal(await error(world.client("c", "")), "INVALID_GROUP_ID");
    assert.equal(await error(world.client("c", "g".repeat(1_025))), "INVALID_GROUP_ID");
    assert.equal(await error(world.client("c", "g", { instance: "i".repeat(250) })), "INVALID_REQUEST");
    assert.equal(
      await error(world.client("c", "g", { protocols: [{ name: "range", metadata: Buffer.alloc(17 * 1024 * 1024) }] })),
      "GROUP_MAX_SIZE_REACHED",
    );
    assert.equal(world.groups.list(REALM).length, 0, "nothing is kept of who was refused");
    assert.equal(await error(world.client("c")), "MEMBER_ID_REQUIRED");
    assert.equal(await error(world.client("d")), "GROUP_MAX_SIZE_REACHED");
    await world.clock.advance(SESSION_MS);
    assert.equal(world.groups.list(REALM).length, 0, "nor of who was given an id and never came");
    assert.equal(world.clock.pendingCount, 0);
    await world.groups.close();
  });

  it("everybody who waits when it stops", async () => {
    const world = await openGroupsWorld();
    const waiting = world.client("c").join({ memberIdRequired: false });
    await world.groups.close();
    const result = await waiting;
    assert.equal(result.kind === "refused" && result.error, "COORDINATOR_NOT_AVAILABLE");
    assert.equal(world.clock.pendingCount, 0);
  });
});
