import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { beginLambent, runLambent } from "../support/lambent-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

interface EventJson {
  readonly Id: string;
  readonly State: string;
  readonly Outcome?: string;
  readonly AttemptCount: number;
}

const EVENTS = 6;
const PATIENCE_MS = 30_000;

/** Minute four of the tour. */
void test("P1, P2: after kill -9 with events waiting, everything that waited is handled", async (context) => {
  const folder = temporaryFolder(context);
  // The developer's own AWS and Lambent settings must not reach a test.
  const inherited = Object.entries(process.env).filter(([name]) => !/^(AWS_|LAMBENT_|NODE_TEST_CONTEXT|NODE_OPTIONS)/u.test(name));
  const environment = { ...Object.fromEntries(inherited), XDG_RUNTIME_DIR: folder };
  const start = async () => {
    const server = beginLambent(["start", "--port", "0", "--data", join(folder, "data")], environment);
    await server.said(/^lambent ready http/mu);
    const endpoint = /^lambent ready (\S+)$/mu.exec(server.printed())?.[1] ?? "";
    return { server, run: (...words: readonly string[]) => runLambent([...words, "--endpoint", endpoint], environment) };
  };
  const code = join(folder, "slow.mjs");
  writeFileSync(code, "export const handler = (event) => new Promise((resolve) => setTimeout(resolve, 400, event));");

  const first = await start();
  await first.run("deploy", code, "--async", "concurrency=1");
  const accepted: string[] = [];
  for (let count = 0; count < EVENTS; count++) {
    const { out } = await first.run("invoke", "slow", "--async", "--json");
    accepted.push((JSON.parse(out) as { readonly requestId: string }).requestId);
  }
  await first.server.kill();

  const second = await start();
  let events: readonly EventJson[] = [];
  for (const giveUpAt = performance.now() + PATIENCE_MS; ;) {
    events = JSON.parse((await second.run("events", "--function", "slow", "--json")).out) as EventJson[];
    if (events.every(({ State }) => State === "ended")) break;
    assert.ok(performance.now() < giveUpAt, JSON.stringify(events));
  }
  assert.deepEqual(events.map(({ Id }) => Id).toSorted(), accepted.toSorted());
  assert.deepEqual([...new Set(events.map(({ Outcome }) => Outcome))], ["handled"]);
  assert.ok(events.every(({ AttemptCount }) => AttemptCount === 1));
  assert.equal(await second.server.interrupt(), 0);
});
