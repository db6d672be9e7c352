/** Memberships driven by hand: one group, events one by one, and what each led to as a line of text. */
import assert from "node:assert/strict";
import { advance } from "../../../src/streams/groups/machine/advance.ts";
import type { Answer, GroupEvent, JoinEvent, MemberClaim, MembershipLimits } from "../../../src/streams/groups/machine/events.ts";
import { emptyGroup, type Group, type GroupKind } from "../../../src/streams/groups/machine/group.ts";

export const LIMITS: MembershipLimits = { membersMax: 6, bytesMax: 10_000, initialDelayMs: 100, newMemberWaitMs: 300_000 };
export const SESSION_MS = 10_000;
export const REBALANCE_MS = 30_000;

export interface Comer {
  readonly member?: string;
  readonly newMember?: string;
  readonly instance?: string;
  readonly says?: string;
  readonly protocols?: readonly string[];
  readonly protocolType?: string;
  readonly memberIdRequired?: boolean;
  readonly canSkipAssignment?: boolean;
}

/** One group; `now` is moved by whoever drives it. */
export class Membership {
  group: Group = emptyGroup(0, undefined);
  now = 0;
  calls = 0;
  readonly answers: Answer[] = [];

  join(comer: Comer): readonly Answer[] {
    const { member = "", newMember = "new", instance, says = "", protocols = ["range"], protocolType = "consumer" } = comer;
    const event: Omit<JoinEvent, "call"> = {
      kind: "join",
      member,
      newMember,
      ...(instance === undefined ? {} : { instance }),
      clientId: "client",
      clientHost: "/127.0.0.1",
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      protocolType,
      protocols: protocols.map((name) => ({ name, metadata: Buffer.from(says) })),
      memberIdRequired: comer.memberIdRequired ?? false,
      canSkipAssignment: comer.canSkipAssignment ?? false,
    };
    return this.apply((call) => ({ ...event, call }));
  }

  sync(claim: MemberClaim, parts: Readonly<Record<string, string>> = {}, more: { readonly protocol?: string } = {}): readonly Answer[] {
    const assignments = Object.entries(parts).map(([member, part]) => ({ member, assignment: Buffer.from(part) }));
    return this.apply((call) => ({ kind: "sync", call, ...claim, ...more, assignments }));
  }

  heartbeat(claim: MemberClaim): readonly Answer[] {
    return this.apply((call) => ({ kind: "heartbeat", call, ...claim }));
  }

  leave(member: string, instance?: string): readonly Answer[] {
    return this.apply((call) => ({ kind: "leave", call, members: [{ member, ...(instance === undefined ? {} : { instance }) }] }));
  }

  commit(claim: MemberClaim): readonly Answer[] {
    return this.apply((call) => ({ kind: "commit", call, ...claim }));
  }

  remove(): readonly Answer[] {
    return this.apply((call) => ({ kind: "remove", call }));
  }

  wait(ms: number): readonly Answer[] {
    this.now += ms;
    return this.apply(() => ({ kind: "tick" }));
  }

  apply(event: (call: number) => GroupEvent): readonly Answer[] {
    const { group, answers } = advance(this.group, event(++this.calls), this.now, LIMITS);
    this.group = group;
    this.answers.push(...answers);
    return answers;
  }
}

/** `join joined 3, sync REBALANCE_IN_PROGRESS`: what callers were told, the latest question's answer not first but in order. */
export function told(answers: readonly Answer[]): string {
  return answers.map((answer) => `${answer.to} ${inShort(answer)}`).join(", ");
}

function inShort({ result }: Answer): string {
  switch (result.kind) {
    case "refused":
      return result.error;
    case "joined":
      return `joined ${result.generation}${result.members.length > 0 ? " leading" : ""}`;
    case "synced":
      return `synced "${result.assignment.toString()}"`;
    case "left":
      return result.members.map(({ error }) => error ?? "left").join(" ");
    case "alive":
    case "allowed":
    case "removed":
      return result.kind;
  }
}

/** Generation 1 of three members: `a` leads, `b` follows, `s` is static (instance S); `p` was given an id and has not come. */
export function inState(kind: GroupKind): Membership {
  const membership = new Membership();
  const pend = (): void => void membership.join({ newMember: "p", memberIdRequired: true });
  if (kind === "Empty") {
    pend();
    return membership;
  }
  if (kind === "Dead") {
    membership.remove();
    return membership;
  }
  membership.join({ newMember: "a" });
  membership.join({ newMember: "b" });
  membership.join({ newMember: "s", instance: "S" });
  membership.wait(100);
  membership.wait(100);
  pend();
  membership.sync({ generation: 1, member: "b" });
  if (kind !== "CompletingRebalance") {
    membership.sync({ generation: 1, member: "a" }, { a: "0", b: "1", s: "2" });
    membership.sync({ generation: 1, member: "s", instance: "S" });
  }
  // `b` waits for the others then.
  if (kind === "PreparingRebalance") membership.join({ member: "b", says: "other" });
  assert.equal(membership.group.kind, kind);
  return membership;
}
