import assert from "node:assert/strict";
import type { LedgerRecord } from "../../src/ledger/index.ts";
import { contentsOf, textsOf } from "../crash/stream-contents.ts";
import { StreamHistory } from "../crash/stream-history.ts";
import { numberIn, type Reading, readingIn } from "../crash/stream-journal.ts";
import { checkResults, isLast, LATE, WINDOW_NAMES } from "../crash/window-results.ts";
import { REALM, type RunningCall, type Task } from "./application.ts";
import { type Drained, outcomeOf } from "./event-checks.ts";
import type { Life } from "./life.ts";
import { CLICKS, GIVEN_UP, NOTES, POISON, READINGS } from "./streams.ts";

/** How batches of clicks may end. */
const ENDINGS = ["handled", "deadLettered retriesExhausted"];

/** Compares what streams hold, and what was made of it, with what was promised: P1, P2, P4, P5. */
export class StreamChecks {
  readonly history = new StreamHistory();
  readonly #begun = new Set<string>();
  readonly #handled = new Set<string>();
  /** Clicks of which it is known that they are there, by their devices. */
  readonly #clicks = new Map<string, string[]>();

  get accepted(): number {
    return this.history.accepted;
  }

  clicked(readings: readonly Reading[]): void {
    for (const { id, device } of readings) {
      const mine = this.#clicks.get(device);
      if (mine) mine.push(id);
      else this.#clicks.set(device, [id]);
    }
  }

  handled(task: Task): void {
    assert.ok(!task.poison, `${task.task} never succeeds`);
    this.#handled.add(task.task);
  }

  /** P4: of a device one batch at a time, in order, and nothing before all that was put before it has been begun. */
  begun(call: RunningCall, running: Iterable<RunningCall>): void {
    for (const other of running)
      for (const { group } of other.name === "reader" ? other.tasks : [])
        assert.ok(!call.tasks.some((task) => task.group === group), `P4: two batches with clicks of ${group} at once`);
    const last = new Map<string, number>();
    for (const { task, group = "" } of call.tasks) {
      const number = numberIn(task);
      assert.ok(number > (last.get(group) ?? -1), `P4: ${task} of ${group} is behind ${last.get(group)}`);
      last.set(group, number);
      this.#begun.add(task);
      for (const earlier of this.#clicks.get(group) ?? [])
        if (numberIn(earlier) < number) assert.ok(this.#begun.has(earlier), `P4: ${task} is handed out before ${earlier} of ${group}`);
    }
  }

  /** Behind the faults, and behind more time than anything waits. */
  async rest({ streams, windows }: Life, records: readonly LedgerRecord[], drained: Drained): Promise<void> {
    const find = (check: string, what: string): never => assert.fail(`${check}: ${what}`);
    const [clicks, readings, notes] = [
      await contentsOf(streams, REALM, CLICKS),
      await contentsOf(streams, REALM, READINGS),
      await contentsOf(streams, REALM, NOTES),
    ];
    this.history.check([...clicks, ...readings, ...notes], find);
    this.#checkClicks(textsOf(clicks).map(readingIn), records, (await drained(GIVEN_UP)).length);
    const inStream = textsOf(readings).map(readingIn);
    for (const name of WINDOW_NAMES) {
      const { running, failed } = await windows.describe(REALM, name);
      assert.equal(failed, undefined, `the window ${name} works`);
      assert.deepEqual(
        [running?.partitions.map(({ lag }) => lag).filter((lag) => lag !== 0), running?.sinks.filter(({ waiting }) => waiting > 0)],
        [[], []],
      );
      const results = textsOf(await contentsOf(streams, REALM, name));
      const late = textsOf(await contentsOf(streams, REALM, LATE[name]));
      checkResults(
        name,
        inStream.filter((each) => !isLast(each)),
        results,
        late,
        find,
      );
    }
  }

  /** Each is in one batch that ended, and was handled or told. */
  #checkClicks(clicks: readonly Reading[], records: readonly LedgerRecord[], told: number): void {
    const own = records.filter(
      ({ source, target, offsets }) => source === "stream" && offsets !== undefined && target.includes(":function:reader"),
    );
    for (const { id, state } of own) assert.ok(ENDINGS.includes(outcomeOf(state)), `P2: ${id} ended as ${outcomeOf(state)}`);
    const counted = own.reduce((sum, { offsets }) => sum + (offsets?.count ?? 0), 0);
    assert.equal(counted, clicks.length, "P2: each click is in one batch that ended");
    const aside = own.filter(({ state }) => outcomeOf(state) !== "handled");
    const setAside = aside.reduce((sum, { offsets }) => sum + (offsets?.count ?? 0), 0);
    const unhandled = clicks.filter(({ id }) => !this.#handled.has(id)).length;
    assert.ok(unhandled <= setAside, `P1: ${unhandled} clicks were not handled, and ${setAside} are said to be set aside`);
    for (const { id, device } of clicks) assert.ok(device !== POISON || !this.#handled.has(id), `${id} never succeeds`);
    assert.ok(told >= aside.length, `P2: ${aside.length} batches were set aside, and ${told} told`);
  }
}
