import assert from "node:assert/strict";
import { isLambentError } from "../../src/base/index.ts";
import type { LedgerRecord } from "../../src/ledger/index.ts";
import { bucketArn, type Caller, NO_ATTRIBUTES } from "../../src/objects/index.ts";
import { contentName, contentOf } from "../crash/object-journal.ts";
import { arnOfQueue, REALM } from "./application.ts";
import { outcomeOf } from "./event-checks.ts";
import type { Life } from "./life.ts";
import type { Trace } from "./trace.ts";

const CALLER: Caller = { principalId: "simulation", sourceAddress: "127.0.0.1", requestId: "r", traceHeader: undefined };
const KEY = "only";

interface Known {
  /** The object's put was acknowledged. */
  put: boolean;
  state: "there" | "deleting" | "deleted";
}

/** Buckets that are made, get an object, tell of it, lose it and are deleted, with what they tell still on its way. */
export class ShortLivedBuckets {
  readonly #trace: Trace;
  readonly #known = new Map<string, Known>();
  #made = 0;

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  async live({ buckets }: Life): Promise<void> {
    const name = `short-${this.#made++}`;
    await buckets.create(REALM, name);
    const known: Known = { put: false, state: "there" };
    this.#known.set(name, known);
    const all = { id: "all", target: arnOfQueue("changes"), events: ["s3:ObjectCreated:*"], prefix: "", suffix: "" };
    await buckets.setNotifications(name, { rules: [all], toBus: false }, CALLER);
    const bucket = await buckets.bucket(name);
    await bucket.put(KEY, NO_ATTRIBUTES, { source: contentOf(contentName(name, 0, true)) }, { caller: CALLER });
    known.put = true;
    await assert.rejects(buckets.delete(name), (error) => isLambentError(error), "a bucket that is not empty stays");
    await bucket.delete(KEY, { caller: CALLER });
    known.state = "deleting";
    await buckets.delete(name);
    known.state = "deleted";
    this.#trace.add(`${name} is deleted`);
  }

  /** What was deleted is gone, and what it told before is told all the same. That no file is left of it is looked at with all other files. */
  rest({ buckets }: Life, records: readonly LedgerRecord[]): void {
    for (const [name, { put, state }] of this.#known) {
      const isThere = buckets.find(name) !== undefined;
      if (state !== "deleting") assert.equal(isThere, state === "there", `P1: the bucket ${name}, which is ${state}`);
      const told = records.filter(({ origin, subject }) => origin === bucketArn(name) && subject === `ObjectCreated:Put ${KEY}`);
      assert.ok(told.length <= 1 && (told.length === 1 || !put), `P2: what was put into ${name} has ${told.length} records`);
      for (const { state: of } of told) assert.equal(outcomeOf(of), "handled", `P2: what was put into ${name}`);
    }
  }
}
