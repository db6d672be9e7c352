/** The one table of everything that can receive an event. A kind of target is one entry: whose ARNs it takes, and how a parcel gets there. */
import { invariant, LambentError, type Clock } from "../base/index.ts";
import type { HandOver, ParcelSender } from "../outbox/index.ts";
import { type Answer, type Handing, never, refusalOf, type TargetKind, type Together } from "./handing.ts";

/** Bytes of payloads handed over in one step, beyond a first one that is larger. */
const TOGETHER_BYTES_MAX = 1024 * 1024;

export class Targets {
  readonly #kinds: readonly TargetKind[];
  readonly #clock: Clock;

  /** Of kinds that take the same ARN, the first one has it. */
  constructor(kinds: readonly TargetKind[], clock: Clock) {
    this.#kinds = kinds;
    this.#clock = clock;
  }

  kindOf(target: string): TargetKind | undefined {
    return this.#kinds.find((each) => each.takes(target));
  }

  /** Throws what keeps a parcel of the sender's from being taken: `NotFound`, `AccessDenied`. */
  async admit(sender: ParcelSender, target: string): Promise<void> {
    const kind = this.kindOf(target);
    if (!kind?.admit) throw new LambentError("NotFound", `Nothing here receives events under ${target}.`);
    await kind.admit(sender, target);
  }

  /**
   * Hands parcels over to their one target, in order; behind one that it does not take now, none is. Throws what ends all delivering:
   * the storage stopped, or the server does.
   */
  async handOver(handings: readonly Handing[]): Promise<HandOver[]> {
    const kind = this.kindOf(handings[0]?.parcel.target ?? "");
    const done: HandOver[] = [];
    while (done.length < handings.length && (done.at(-1) === undefined || isDone(done.at(-1)))) {
      const together = leading(handings.slice(done.length), kind?.togetherMax ?? 1);
      const begun = this.#clock.monotonicMs();
      const answers = kind
        ? await kind.handOver(together).catch((error: unknown) => together.map(() => refusalOf(error)))
        : together.map(() => never("RESOURCE_NOT_FOUND", "nothing here receives events under such an ARN"));
      const durationMs = Math.round(this.#clock.monotonicMs() - begun);
      done.push(...answers.map((answer) => timed(answer, durationMs)));
    }
    return [...done, ...handings.slice(done.length).map((): HandOver => ({ kind: "wait", ms: 0 }))];
  }
}

function isDone(outcome: HandOver | undefined): boolean {
  return outcome?.kind === "taken" || outcome?.kind === "never";
}

function timed(answer: Answer, durationMs: number): HandOver {
  return answer.kind === "wait" ? answer : { ...answer, durationMs };
}

/** What may go in one step: from the same sender, so that one permission counts. */
function leading(handings: readonly Handing[], max: number): Together {
  const [first, ...rest] = handings;
  invariant(first !== undefined, "there is something to hand over");
  const together: [Handing, ...Handing[]] = [first];
  let bytes = first.parcel.payload.length;
  for (const each of rest) {
    bytes += each.parcel.payload.length;
    if (together.length >= max || bytes > TOGETHER_BYTES_MAX || !isSameSender(each, first)) break;
    together.push(each);
  }
  return together;
}

/** A function sends under its qualified name. */
function isSameSender({ parcel: { sender: left } }: Handing, { parcel: { sender: right } }: Handing): boolean {
  if (left.kind === "function") return right.kind === "function" && left.functionArn === right.functionArn;
  return right.kind === "service" && left.service === right.service && left.sourceArn === right.sourceArn && left.roleArn === right.roleArn;
}
