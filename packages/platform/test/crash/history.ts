import { CHECKS, type Finding } from "./checks.ts";
import { firstProducers, type ProducerPlan } from "./plan.ts";
import { ObjectHistory } from "./object-history.ts";
import { StreamHistory } from "./stream-history.ts";
import { type Entry, groupOf, type ListName, numberOf } from "./journal.ts";

/** What is known of an item from the answers alone. */
export interface Known {
  readonly list: ListName;
  /** The answer was heard, or it may have been accepted all the same. */
  accepted: "yes" | "maybe";
  settled: boolean;
  /** Settles that nobody heard the answer of. */
  settling: number;
  /** Its last lease holds until then at least; 0 when it may have ended. */
  leasedUntil: number;
}

/** What all lives of a round said, and what of it cannot be, whatever the store holds. */
export class History {
  readonly items = new Map<string, Known>();
  readonly kept = new Set<string>();
  readonly keptFiles = new Set<string>();
  readonly made = new Set<string>();
  /** Events on the default bus, with the id they were acknowledged with. */
  readonly events = new Map<string, string | undefined>();
  readonly objects = new ObjectHistory();
  readonly streams = new StreamHistory();
  readonly findings: Finding[] = [];
  /** Items of a group of `fifo` that nobody tried to settle, in their order. */
  readonly #open = new Map<string, Set<string>>();
  readonly #unheard = new Map<string, readonly string[]>();
  acknowledged = 0;
  stopped = false;

  add(entries: readonly Entry[]): void {
    for (const entry of entries) this.#add(entry);
  }

  /** What producers of the next life do: send again what they heard no answer of, then go on. */
  producers(): ProducerPlan[] {
    return firstProducers().map(({ list, name }) => {
      const numbers = [...this.items.keys()].filter((id) => groupOf(id) === name && !id.endsWith("+")).map(numberOf);
      return { list, name, again: this.#unheard.get(name) ?? [], next: Math.max(-1, ...numbers) + 1 };
    });
  }

  #add(entry: Entry): void {
    switch (entry.kind) {
      case "ready":
        return this.objects.lifeBegins();
      case "object":
        this.acknowledged += this.objects.add(entry.entry);
        return;
      case "stream":
        this.acknowledged += this.streams.add(entry.entry);
        return;
      case "sending":
        this.#unheard.set(groupOf(entry.ids[0] ?? ""), entry.ids);
        for (const id of entry.ids) this.#item(id, entry.list);
        return;
      case "sent":
        this.acknowledged += entry.ids.length;
        this.#unheard.delete(groupOf(entry.ids[0] ?? ""));
        for (const id of entry.ids) this.#item(id, entry.list).accepted = "yes";
        return;
      case "leased":
        return this.#leased(entry);
      case "body":
        return this.#find(CHECKS.bodies, `${entry.id} was handed out with ${entry.what}`);
      case "settling":
        return this.#settling(entry);
      case "settled":
        return this.#settled(entry);
      case "releasing":
        this.#item(entry.id, entry.list).leasedUntil = 0;
        return;
      case "keptFile":
        this.acknowledged += 1;
        this.keptFiles.add(entry.file);
        return;
      case "kept":
        this.acknowledged += 1;
        this.kept.add(entry.digest);
        return;
      case "made":
        this.acknowledged += 1;
        this.made.add(entry.name);
        return;
      case "putting":
        for (const id of entry.ids) this.events.set(id, undefined);
        return;
      case "put":
        this.acknowledged += entry.ids.length;
        for (const [at, id] of entry.ids.entries()) this.events.set(id, entry.eventIds[at]);
        return;
      case "stopped":
        this.stopped = true;
    }
  }

  #leased({ list, ids, until, at }: Extract<Entry, { kind: "leased" }>): void {
    for (const id of ids) {
      const item = this.#item(id, list);
      if (item.settled) this.#find(CHECKS.settled, `${id} was settled and is handed out again`);
      // An answer that came so late that its lease may have ended says nothing of who has it now.
      if (until > at) this.#checkLease(list, id, ids, at);
      if (list === "fifo") this.#checkOrder(id, ids);
    }
    for (const id of ids) this.#item(id, list).leasedUntil = until > at ? until : 0;
  }

  #checkLease(list: ListName, id: string, together: readonly string[], at: number): void {
    const others = list === "fifo" ? (this.#open.get(groupOf(id)) ?? []) : [id];
    for (const other of others) {
      if (other !== id && together.includes(other)) continue;
      const { leasedUntil } = this.#item(other, list);
      if (leasedUntil > at) this.#find(CHECKS.lease, `${id} is handed out at ${at} while ${other} is leased until ${leasedUntil}`);
    }
  }

  #checkOrder(id: string, together: readonly string[]): void {
    const before = [...(this.#open.get(groupOf(id)) ?? [])].filter(
      (other) => numberOf(other) < numberOf(id) && this.#item(other, "fifo").accepted === "yes",
    );
    for (const other of before)
      if (!together.slice(0, together.indexOf(id)).includes(other)) this.#find(CHECKS.order, `${id} is handed out before ${other}`);
  }

  #settling({ list, id, followUp }: Extract<Entry, { kind: "settling" }>): void {
    const item = this.#item(id, list);
    item.settling += 1;
    item.leasedUntil = 0;
    this.#open.get(groupOf(id))?.delete(id);
    if (followUp !== undefined) this.#item(followUp, list);
  }

  #settled({ list, id, followUp, outcome }: Extract<Entry, { kind: "settled" }>): void {
    const item = this.#item(id, list);
    // As good as no answer.
    if (outcome === "unsure") return;
    item.settling -= 1;
    if (outcome !== "settled") {
      if (list === "fifo" && !item.settled && item.settling === 0) this.#openAgain(id);
      return;
    }
    if (item.settled) this.#find(CHECKS.outcome, `${id} was settled twice`);
    this.acknowledged += 1;
    item.settled = true;
    item.accepted = "yes";
    if (followUp !== undefined) this.#item(followUp, list).accepted = "yes";
  }

  #openAgain(id: string): void {
    const open = this.#open.get(groupOf(id)) ?? new Set();
    this.#open.set(groupOf(id), new Set([...open, id].toSorted((left, right) => numberOf(left) - numberOf(right))));
  }

  #item(id: string, list: ListName): Known {
    const known = this.items.get(id);
    if (known) return known;
    const made: Known = { list, accepted: "maybe", settled: false, settling: 0, leasedUntil: 0 };
    this.items.set(id, made);
    if (list === "fifo") {
      const open = this.#open.get(groupOf(id)) ?? new Set();
      open.add(id);
      this.#open.set(groupOf(id), open);
    }
    return made;
  }

  #find(check: Finding["check"], what: string): void {
    this.findings.push({ check, what });
  }
}
