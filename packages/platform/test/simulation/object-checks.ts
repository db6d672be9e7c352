import assert from "node:assert/strict";
import { busArn, DEFAULT_BUS } from "../../src/bus/index.ts";
import { bucketArn } from "../../src/objects/index.ts";
import type { LedgerRecord } from "../../src/ledger/index.ts";
import type { BodyFiles, Store } from "../../src/storage/index.ts";
import { ObjectHistory } from "../crash/object-history.ts";
import { checkChangesTold, checkFiles, toldIn } from "../crash/object-told.ts";
import { arnOfFunction, arnOfQueue, REALM } from "./application.ts";
import { type Drained, outcomeOf } from "./event-checks.ts";
import type { Life } from "./life.ts";
import { BUCKET, CHANGES_RULE, isPart, readContent, TO_ORDERS } from "./objects.ts";

const BUS = busArn(REALM, DEFAULT_BUS);
const UPLOADS = arnOfQueue("uploads");
const ORDERS = arnOfFunction("orders");
/** How the delivery to each kind of target may end. */
const ENDINGS = { function: ["handled", "deadLettered retriesExhausted"], other: ["handled"] } as const;

/** Compares what a bucket holds and what it told with what was promised: P1, P2, and that no file is left that nobody knows. */
export class ObjectChecks {
  readonly history = new ObjectHistory();

  get accepted(): number {
    return [...this.history.changes.values()].filter(({ state }) => state === "acknowledged").length;
  }

  /** Behind the faults, and behind more time than anything waits. */
  async rest(
    life: Life,
    { store, bodies }: { readonly store: Store; readonly bodies: BodyFiles },
    records: readonly LedgerRecord[],
    drained: Drained,
  ): Promise<void> {
    const find = (check: string, what: string): never => assert.fail(`${check}: ${what}`);
    for (const { id, body } of await drained("uploads")) for (const entry of toldIn(body, id)) this.history.add(entry);
    await this.#checkKeys(life);
    await this.#checkUploads(life);
    checkChangesTold(this.history, find);
    this.#checkRecords(records, (await drained("changes")).length);
    await checkFiles(store, bodies, find);
  }

  async #checkKeys({ buckets }: Life): Promise<void> {
    const bucket = await buckets.bucket(BUCKET);
    for (const key of this.history.keys) {
      const found = await readContent(bucket, key);
      const possible = this.history.possible(key);
      assert.ok(possible.has(found), `P1: ${key} is ${found}, not ${[...possible].join(" or ")}`);
    }
    const { objects } = await bucket.list({ prefix: "", max: 1_000 });
    for (const { key } of objects)
      assert.ok(
        [...this.history.possible(key)].some((content) => content !== undefined),
        `${key} is there`,
      );
  }

  async #checkUploads({ buckets }: Life): Promise<void> {
    const { uploads } = await buckets.bucket(BUCKET);
    const listed = new Set((await uploads.list({ prefix: "", max: 1_000 })).uploads.map(({ id }) => id));
    for (const [id, known] of this.history.uploads) {
      if (known.state !== "ending") assert.equal(listed.has(id), known.state === "open", `P1: the upload ${id}, which is ${known.state}`);
      if (!listed.has(id)) continue;
      const { parts } = await uploads.listParts(known.key, id, { max: 1_000 });
      for (const { number, md5 } of parts) assert.ok(isPart(known, number, md5), `P1: part ${number} of ${id} is ${md5}`);
      for (const [number, { acknowledged }] of known.parts)
        assert.ok(!acknowledged || parts.some((part) => part.number === number), `P1: part ${number} of ${id} is gone`);
    }
  }

  /** Each change has one record for each rule that is about it, ended as it may be, and there is none of what did not happen. */
  #checkRecords(records: readonly LedgerRecord[], heard: number): void {
    const own = records.filter(({ origin }) => origin === bucketArn(BUCKET));
    const all = [...this.history.told.values()].reduce((sum, { size }) => sum + size, 0);
    for (const record of own) {
      const ending = outcomeOf(record.state);
      const endings: readonly string[] = record.target === ORDERS ? ENDINGS.function : ENDINGS.other;
      assert.ok(endings.includes(ending), `P2: ${record.subject} for ${record.target} ended as ${ending}`);
      const isKnown = record.target === BUS || record.subject === "s3:TestEvent" || this.history.told.has(record.subject ?? "");
      assert.ok(isKnown, `P2: there is a record of ${record.subject}, which did not happen`);
    }
    for (const [name, { size }] of this.history.told) {
      const isForOrders = name.startsWith("ObjectCreated:") && name.includes(` ${TO_ORDERS}`);
      const timesTo = (to: string): number => own.filter(({ target, subject }) => target === to && subject === name).length;
      assert.equal(timesTo(UPLOADS), size, `P2: records of ${name} for the queue`);
      assert.equal(timesTo(ORDERS), isForOrders ? size : 0, `P2: records of ${name} for the function`);
    }
    assert.equal(own.filter(({ target }) => target === BUS).length, all, "P2: records of changes on the bus");
    assert.equal(records.filter(({ origin }) => origin === CHANGES_RULE).length, all, "P2: records of what the bus passed on");
    assert.ok(heard >= all, `P1: the bus was told ${all} changes and ${heard} got through it`);
  }
}
