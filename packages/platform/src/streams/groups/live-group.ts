/** A group's membership with its effects: who waits for an answer, and the one timer of its next deadline. */
import type { Clock, MonotonicMs, Timer } from "../../base/index.ts";
import { invariant } from "../../base/index.ts";
import { advance } from "./machine/advance.ts";
import type { GroupEvent, MembershipLimits, Results } from "./machine/events.ts";
import type { Call, Group } from "./machine/group.ts";
import { nextDeadline } from "./machine/tick.ts";

/**
 * A timer that fires this late says that the process stood still: heartbeats lie unread in the sockets. Members get
 * as long again before any is put out.
 */
const STANDSTILL_MS = 1_000;

interface LiveGroupParts {
  readonly clock: Clock;
  readonly limits: MembershipLimits;
  /** Called after every step that may have changed who takes part. */
  readonly onStep: (before: Group, after: Group) => void;
}

type Question = keyof Results;
type Content<K extends Question> = Omit<Extract<GroupEvent, { kind: K }>, "kind" | "call">;

interface Waiting {
  readonly member: string;
  answer(result: Results[Question]): void;
}

export class LiveGroup {
  readonly #parts: LiveGroupParts;
  readonly #waiting = new Map<Call, Waiting>();
  #group: Group;
  #calls = 0;
  #timer: { readonly at: MonotonicMs; readonly timer: Timer } | undefined;

  constructor(parts: LiveGroupParts, group: Group) {
    this.#parts = parts;
    this.#group = group;
  }

  get group(): Group {
    return this.#group;
  }

  /** True while somebody waits for an answer. */
  get isAwaited(): boolean {
    return this.#waiting.size > 0;
  }

  /** Asks what is answered when others have done their part. */
  wait<K extends "join" | "sync">(kind: K, content: Content<K>): Promise<Results[K]> {
    return new Promise((resolve) => this.#ask(kind, content, (result) => resolve(result)));
  }

  /** Asks what is answered at once: nothing happens between the question and the answer. */
  tell<K extends Exclude<Question, "join" | "sync">>(kind: K, content: Content<K>): Results[K] {
    let answered: Results[K] | undefined;
    this.#ask(kind, content, (result) => {
      answered = result;
    });
    invariant(answered !== undefined, `a ${kind} is answered at once`);
    return answered;
  }

  /** Nobody is answered by this group any more: whoever waits is to look for it anew. */
  end(): void {
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    for (const { member, answer } of this.#waiting.values()) {
      const refused = { kind: "refused", error: "COORDINATOR_NOT_AVAILABLE", member } as const;
      answer(refused);
    }
    this.#waiting.clear();
  }

  #ask<K extends Question>(kind: K, content: Content<K>, answer: (result: Results[K]) => void): void {
    const call = ++this.#calls;
    const member = "member" in content && typeof content.member === "string" ? content.member : "";
    this.#waiting.set(call, { member, answer: (result) => answer(result as Results[K]) });
    this.#apply({ ...content, kind, call } as unknown as GroupEvent);
  }

  #apply(event: GroupEvent): void {
    const before = this.#group;
    const { group, answers } = advance(before, event, this.#parts.clock.monotonicMs(), this.#parts.limits);
    this.#group = group;
    for (const { call, result } of answers) {
      const waiting = this.#waiting.get(call);
      this.#waiting.delete(call);
      waiting?.answer(result);
    }
    // These only put deadlines off: the timer finds out when it is due.
    if (event.kind === "heartbeat" || event.kind === "commit") return;
    this.#planTick();
    this.#parts.onStep(before, group);
  }

  #planTick(): void {
    const at = nextDeadline(this.#group);
    if (this.#timer && this.#timer.at <= at) return;
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    if (at === Infinity) return;
    this.#tickAt(at);
  }

  #tickAt(at: MonotonicMs): void {
    const { clock } = this.#parts;
    const timer = clock.schedule(Math.max(0, at - clock.monotonicMs()), () => {
      this.#timer = undefined;
      const now = clock.monotonicMs();
      if (now - at > STANDSTILL_MS) this.#tickAt(now + STANDSTILL_MS);
      else this.#apply({ kind: "tick" });
    });
    this.#timer = { at, timer };
  }
}
