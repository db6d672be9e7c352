/** First calls to functions that were scaled to zero: none may fail. Every round retires the instance by a configuration change. */
import assert from "node:assert/strict";
import { Functions } from "../hostile/functions.ts";
import { type Box, rig, RigServer } from "./rig.ts";

const WAKE_UPS_MAX = 10_000;
const LANES = 4;

const NODE = "const born = `${process.pid}-${Math.random()}`; export const handler = async () => born;";
const PYTHON = "import uuid\nborn = str(uuid.uuid4())\ndef handler(event, context): return born\n";

interface Tally {
  done: number;
  readonly tookMs: number[];
}

await rig(async (box) => {
  const server = await RigServer.start();
  const functions = new Functions(server);
  const tally: Tally = { done: 0, tookMs: [] };
  try {
    await Promise.all(Array.from({ length: LANES }, (_, lane) => wakeUps(functions, lane, box, tally)));
  } finally {
    functions.close();
    await server.stop();
  }
  const sorted = tally.tookMs.toSorted((a, b) => a - b);
  const at = (part: number): string => `${(sorted[Math.floor(sorted.length * part)] ?? 0).toFixed(0)} ms`;
  return `${tally.done} of ${WAKE_UPS_MAX} wake-ups from zero, 0 failed first calls; p50 ${at(0.5)}, p99 ${at(0.99)}`;
});

async function wakeUps(functions: Functions, lane: number, box: Box, tally: Tally): Promise<void> {
  const name = `wake-${lane}`;
  await (lane % 4 === 3 ? functions.create(name, "python3.11", PYTHON) : functions.create(name, "nodejs22.x", NODE));
  for (let round = 1, before: unknown; box.hasTime() && tally.done < WAKE_UPS_MAX; round++) {
    const { error, value, ms } = await functions.call(name);
    assert.equal(error, undefined, `first call ${round} of ${name} failed`);
    assert.notEqual(value, before, "the instance of before the change answered: this was no wake-up");
    before = value;
    tally.done += 1;
    tally.tookMs.push(ms);
    box.progress(`${tally.done} wake-ups`);
    await functions.configure(name, { Description: `round ${round}` });
  }
}
