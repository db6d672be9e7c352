import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesPassed, turnOfTheLoop } from "../../src/base/index.ts";

const MIB = 2 ** 20;
/** Fewer than V8 lets gather by itself. */
const CHUNKS = 48;

test("buffers of a body that passed are collected before the garbage collector would by itself", async () => {
  const before = process.memoryUsage().arrayBuffers;
  const gathered = (): number => process.memoryUsage().arrayBuffers - before;
  for (let chunk = 0; chunk < CHUNKS; chunk++) Buffer.allocUnsafeSlow(MIB);
  assert.ok(gathered() >= CHUNKS * MIB, "nothing is collected where nobody says what passed");
  bytesPassed(CHUNKS * MIB);
  // Their memory is given back by a thread beside this one.
  for (let turn = 0; turn < 100_000 && gathered() > MIB; turn++) await turnOfTheLoop();
  assert.ok(gathered() <= MIB, `${gathered()} bytes of buffers are still there`);
});
