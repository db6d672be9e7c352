/** Clients that do what they like, in any order, for a long time: what holds after every step. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Answer } from "../../../src/streams/groups/machine/events.ts";
import type { Group } from "../../../src/streams/groups/machine/group.ts";
import { isPeopled, membersOf } from "../../../src/streams/groups/machine/members.ts";
import { nextDeadline } from "../../../src/streams/groups/machine/tick.ts";
import { LIMITS, Membership } from "./membership.ts";

const SEED = Number(process.env["LAMBENT_TEST_SEED"] ?? 20_261_122);
const RUNS = 400;
const CLIENTS = 8;

const who = fc.nat(CLIENTS - 1);
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("join" as const), who, says: fc.constantFrom("", "", "", "x"), fresh: fc.nat(5) }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("sync" as const), who, old: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("heartbeat" as const), who, old: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("leave" as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("commit" as const), who, old: fc.nat(3) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      ms: fc.constantFrom(1, 50, 100, 100, 4_000, 9_999, 30_000),
      beating: fc.nat(9),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** What a client believes of itself. The odd ones are static members. */
interface Client {
  readonly instance: string | undefined;
  member: string;
  generation: number;
}

class Walk {
  readonly #membership = new Membership();
  readonly #clients: readonly Client[] = Array.from({ length: CLIENTS }, (_, index) => ({
    instance: index % 3 === 2 ? `I${index}` : undefined,
    member: "",
    generation: -1,
  }));
  /** Calls without an answer yet, and whose they are. */
  readonly #open = new Map<number, { readonly client: Client; readonly generation: number }>();
  readonly #leaders = new Map<number, string>();
  #ids = 0;

  run(steps: readonly Step[]): void {
    for (const each of steps) this.#step(each);
    this.#rest();
  }

  #step(each: Step): void {
    // Most are in good health: else nearly all walks were among ruins.
    if (each.kind === "wait" && each.beating > 0)
      for (let index = 0; index < CLIENTS; index++) this.#one({ kind: "heartbeat", who: index, old: 1 });
    this.#one(each);
  }

  #one(each: Step): void {
    const before = this.#membership.group;
    const answers = this.#act(each);
    for (const answer of answers) this.#hear(answer);
    this.#check(before, answers);
  }

  #act(each: Step): readonly Answer[] {
    const membership = this.#membership;
    if (each.kind === "wait") return membership.wait(each.ms);
    const client = this.#clients[each.who] as Client;
    const { instance } = client;
    const named = instance === undefined ? {} : { instance };
    const generation = client.generation - ("old" in each && each.old === 0 ? 1 : 0);
    this.#open.set(membership.calls + 1, { client, generation });
    const claim = { generation, member: client.member, ...named };
    switch (each.kind) {
      case "join": {
        const member = each.fresh === 0 ? "" : client.member;
        const newMember = `m${++this.#ids}`;
        return membership.join({
          member,
          newMember,
          says: each.says,
          memberIdRequired: instance === undefined,
          canSkipAssignment: true,
          ...named,
        });
      }
      case "sync": {
        const parts = Object.fromEntries([...membersOf(membership.group).keys()].map((id) => [id, `${id} in ${generation}`]));
        return membership.sync(claim, parts);
      }
      case "heartbeat":
        return membership.heartbeat(claim);
      case "leave":
        return membership.leave(client.member, instance);
      case "commit":
        return membership.commit(claim);
    }
  }

  /** Every call is answered once, and what members of one generation hear fits together. */
  #hear(answer: Answer): void {
    const asked = this.#open.get(answer.call);
    assert.ok(asked, `call ${answer.call} is answered twice`);
    const { client } = asked;
    this.#open.delete(answer.call);
    const { group } = this.#membership;
    if (answer.to === "join") {
      const { result } = answer;
      client.member = result.kind === "joined" || result.error === "MEMBER_ID_REQUIRED" ? result.member : client.member;
      if (result.kind !== "joined") return;
      client.generation = result.generation;
      assert.equal(result.generation, group.generation);
      if (result.members.length === 0) return;
      assert.equal(result.leader, result.member);
      assert.deepEqual(result.members.map(({ member }) => member).sort(), [...membersOf(group).keys()].sort());
      const leaderBefore = this.#leaders.get(result.generation);
      // A static leader's next process leads on.
      if (leaderBefore !== undefined && !result.skipAssignment) assert.equal(result.leader, leaderBefore, "a generation has one leader");
      this.#leaders.set(result.generation, result.leader);
    }
    if (answer.to === "sync" && answer.result.kind === "synced" && !answer.result.assignment.equals(Buffer.alloc(0)))
      assert.match(answer.result.assignment.toString(), new RegExp(` in ${group.generation}$`), "a part is of the generation");
    if (answer.to === "heartbeat" && answer.result.kind === "alive") {
      assert.equal(asked.generation, group.generation, "who is alive is of this generation");
      assert.ok(membersOf(group).has(client.member));
    }
  }

  #check(before: Group, answers: readonly Answer[]): void {
    const { group } = this.#membership;
    assert.ok(group.generation >= before.generation && group.generation <= before.generation + 1);
    for (const call of waitingCalls(group)) assert.ok(this.#open.has(call), "who waits has not been answered");
    assert.equal(waitingCalls(group).length, this.#open.size, `nobody is forgotten after ${JSON.stringify(answers)}`);
    if (!isPeopled(group)) return;
    const members = membersOf(group);
    assert.ok(members.size + group.pending.size <= LIMITS.membersMax);
    for (const id of group.pending.keys()) assert.ok(!members.has(id));
    const instances = [...members.values()].flatMap(({ instance }) => instance ?? []);
    assert.equal(new Set(instances).size, instances.length, "an instance has one member");
    if (group.kind === "PreparingRebalance") {
      for (const id of group.joins.keys()) assert.ok(members.has(id));
      return;
    }
    assert.ok(members.has(group.leader), "the leader is a member");
    for (const { protocols } of members.values()) assert.ok(protocols.some(({ name }) => name === group.protocol));
    for (const id of group.unsynced) assert.ok(members.has(id));
    if (group.kind === "CompletingRebalance") {
      for (const id of group.syncs.keys()) assert.ok(members.has(id) && !group.unsynced.has(id));
    } else assert.deepEqual([...group.assignments.keys()].sort(), [...members.keys()].sort(), "every member has its part");
  }

  /** Nobody does anything any more: the group comes to rest by its own deadlines, and nobody waits. */
  #rest(): void {
    const membership = this.#membership;
    for (let turns = 0; nextDeadline(membership.group) !== Infinity; turns++) {
      assert.ok(turns < 100, "the group comes to rest");
      const before = membership.group;
      const answers = membership.wait(Math.max(0, nextDeadline(before) - membership.now));
      for (const answer of answers) this.#hear(answer);
      this.#check(before, answers);
    }
    assert.equal(membership.group.kind, "Empty");
    assert.equal(this.#open.size, 0);
  }
}

function waitingCalls(group: Group): number[] {
  if (group.kind === "PreparingRebalance") return Array.from(group.joins.values(), ({ call }) => call);
  return group.kind === "CompletingRebalance" ? [...group.syncs.values()] : [];
}

describe("a consumer group's membership, whatever clients do", () => {
  it("has one leader and one part for each member, answers every call once, and comes to rest", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => new Walk().run(steps)),
      { seed: SEED, numRuns: RUNS },
    );
  });
});
