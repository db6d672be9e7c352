import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { after, test } from "node:test";
import { startLambent } from "../../packages/platform/test/support/lambent-process.ts";

const lambent = await startLambent();
after(() => lambent.stop());

const EVENTS = [
  [{ type: "user_action", user: "Ada", action: "sign_in" }, "Ada did sign_in"],
  [{ type: "data_update", key: "level", value: 3 }, "level is now 3"],
  [{ type: "timer_trigger", time: "2026-01-01T00:00:00Z" }, "woke at 2026-01-01T00:00:00Z"],
] as const;

async function listens(name: string): Promise<void> {
  for (const [event, result] of EVENTS) assert.deepEqual(await lambent.invoke(name, event), { type: event.type, result });
  const failed = await lambent.run("invoke", name, "--event", '{"type":"rumour"}');
  assert.equal(failed.exit, 7);
  assert.match(failed.err, /ValueError: type is 'rumour'; known are user_action, data_update, timer_trigger/u);
}

test("each kind of event reaches its listener, and an unknown one is an error", async () => {
  await lambent.run("deploy", import.meta.dirname);
  await listens("example-event-listener");
});

test("the same handler deployed by boto3's create_function does the same", async () => {
  const name = execFileSync("python3", [`${import.meta.dirname}/deploy.py`], {
    env: { ...process.env, ...(await lambent.awsEnvironment()) },
    encoding: "utf8",
  }).trim();
  await listens(name);
});
