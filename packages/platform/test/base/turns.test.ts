import assert from "node:assert/strict";
import { test } from "node:test";
import { deferred, LambentError, Turns } from "../../src/base/index.ts";

test("changes run one behind the other, in the order in which they were asked for", async () => {
  const turns = new Turns("things", 10);
  const gate = deferred<undefined>();
  const seen: string[] = [];
  const one = turns.take(async () => {
    await gate.promise;
    seen.push("one");
  });
  const two = turns.take(() => seen.push("two"));
  gate.resolve(undefined);
  await Promise.all([one, two]);
  assert.deepEqual(seen, ["one", "two"]);
});

test("a change that fails fails for its caller only", async () => {
  const turns = new Turns("things", 10);
  const failing = turns.take(() => {
    throw new LambentError("Conflict", "not so");
  });
  const next = turns.take(() => "done");
  await assert.rejects(failing, { code: "Conflict" });
  assert.equal(await next, "done");
});

test("at the bound one more is refused, and taken again once one has ended (P7)", async () => {
  const turns = new Turns("things", 2);
  const gate = deferred<undefined>();
  const waiting = [turns.take(() => gate.promise), turns.take(() => undefined)];
  await assert.rejects(
    turns.take(() => undefined),
    { code: "StorageBusy", message: /2 changes of things/ },
  );
  gate.resolve(undefined);
  await Promise.all(waiting);
  assert.equal(await turns.take(() => "room again"), "room again");
});
