/** Memory comes back: 50 live instances, scaled down again, over and over; the server's whole family is measured. */
import assert from "node:assert/strict";
import { delay, systemClock } from "../../src/base/index.ts";
import { Functions, holdingsOf, until } from "../hostile/functions.ts";
import { pssMbOf, rig, RigServer } from "./rig.ts";

const LIVE = 50;
/** Calls that begin together: all at once would, on a busy machine, wait for their instances longer than a call may. */
const WAVE = 10;
const POOL = 2;
/**
 * Rounds before the baseline is taken: what is loaded at first use stays, and the heaps grow to their working size
 * (seen at rest: 135, 152, 157, 168, 187 MB in the first seven rounds, then 184 to 188).
 */
const WARM_ROUNDS = 6;
/** Above the baseline after a scale-down: garbage that is not collected yet. */
const MORE_MB_MAX = 40;

await rig(async (box) => {
  const server = await RigServer.start("--idle", "1", "--pool", String(POOL));
  const functions = new Functions(server);
  const rounds: { readonly liveMb: number; readonly restMb: number }[] = [];
  try {
    await functions.create(
      "many",
      "nodejs22.x",
      "export const handler = async () => { await new Promise((resolve) => setTimeout(resolve, 12000)); return 1; };",
      { Timeout: 30 },
    );
    while (box.hasTime() || rounds.length <= WARM_ROUNDS) {
      const calls: ReturnType<Functions["call"]>[] = [];
      while (calls.length < LIVE) {
        calls.push(...Array.from({ length: WAVE }, () => functions.call("many")));
        await until(`${calls.length} instances live`, 30_000, () => holdingsOf(server.pid).slots >= calls.length);
      }
      const liveMb = pssMbOf(server.pid);
      for (const { error } of await Promise.all(calls)) assert.equal(error, undefined);
      await until("only the pool is left", 30_000, () => holdingsOf(server.pid).slots === POOL);
      await delay(systemClock, 500);
      rounds.push({ liveMb, restMb: pssMbOf(server.pid) });
      box.progress(`${rounds.length} rounds, ${rounds.at(-1)?.liveMb.toFixed(0)} MB live, ${rounds.at(-1)?.restMb.toFixed(0)} MB at rest`);
    }
  } finally {
    functions.close();
    await server.stop();
  }
  const baseline = rounds[WARM_ROUNDS - 1]?.restMb ?? Number.NaN;
  const last = rounds.at(-1)?.restMb ?? Number.NaN;
  const shown = rounds.map(({ liveMb, restMb }) => `${liveMb.toFixed(0)}/${restMb.toFixed(0)}`).join(" ");
  assert.ok(last <= baseline + MORE_MB_MAX, `${last.toFixed(0)} MB at rest, ${baseline.toFixed(0)} MB at the baseline: ${shown}`);
  return `${rounds.length} rounds of ${LIVE} instances; MB live/at rest: ${shown}`;
});
