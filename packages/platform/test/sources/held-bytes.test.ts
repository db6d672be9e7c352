import assert from "node:assert/strict";
import { test } from "node:test";
import { HeldBytes } from "../../src/sources/queue/held-bytes.ts";

test("P7: beyond the bound nothing is read until something has ended", async () => {
  const held = new HeldBytes(100);
  await held.room();
  held.take(60);
  await held.room();
  held.take(60);
  let room = 0;
  const waiting = [held.room(), held.room()].map((each) => each.then(() => (room += 1)));
  await Promise.resolve();
  assert.equal(room, 0);
  held.release(10);
  await Promise.resolve();
  assert.equal(room, 0, "still over the bound");
  held.release(50);
  await Promise.all(waiting);
  assert.equal(room, 2);
});
