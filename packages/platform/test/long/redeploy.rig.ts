/** New code again and again while calls run: no call is dropped, and none gets code older than what was active when it began. */
import assert from "node:assert/strict";
import { delay, systemClock } from "../../src/base/index.ts";
import { Functions } from "../hostile/functions.ts";
import { rig, RigServer } from "./rig.ts";

const CALLERS = 8;
/** Between two redeployments: without it every call would wait for a new instance, and warm ones would never be replaced. */
const PAUSE_MS = 250;

const code = (generation: number): string =>
  `export const handler = async () => { await new Promise((resolve) => setTimeout(resolve, 5)); return ${generation}; };`;

await rig(async (box) => {
  const server = await RigServer.start();
  const functions = new Functions(server);
  let calls = 0;
  let active = 0;
  const caller = async (): Promise<void> => {
    while (box.hasTime()) {
      const atLeast = active;
      const { error, value } = await functions.call("target");
      assert.equal(error, undefined, `a call was dropped around generation ${active}`);
      assert.ok(Number(value) >= atLeast, `generation ${String(value)} answered although ${atLeast} was active before the call`);
      calls += 1;
    }
  };
  const deployer = async (): Promise<void> => {
    while (box.hasTime()) {
      const next = active + 1;
      await functions.redeploy("target", "index.mjs", code(next));
      active = next;
      await delay(systemClock, PAUSE_MS);
      box.progress(`${active} redeployments, ${calls} calls`);
    }
  };
  try {
    await functions.create("target", "nodejs22.x", code(0));
    await Promise.all([deployer(), ...Array.from({ length: CALLERS }, caller)]);
  } finally {
    functions.close();
    await server.stop();
  }
  return `${active} redeployments under ${calls} calls by ${CALLERS} callers, 0 dropped`;
});
