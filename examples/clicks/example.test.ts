import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { runProgram, startLambent } from "../../packages/platform/test/support/lambent-process.ts";
import { brokerOf, readTopic } from "../../packages/platform/test/support/topics.ts";

const folder = import.meta.dirname;
const lambent = await startLambent();
after(() => lambent.stop());
const broker = brokerOf(lambent);
const deployed = await lambent.run("deploy", folder);
const environment = { ...process.env, ...(await lambent.awsEnvironment()) };

interface Session {
  readonly key: string;
  readonly window: { readonly start: number; readonly end: number };
  readonly timing: string;
  readonly clicks: number;
  readonly pages: readonly string[];
  readonly replaces?: readonly { readonly start: number; readonly end: number }[];
}

const at = (hours: number, minutes: number): number => Date.UTC(2026, 2, 2, hours, minutes);

async function click(...which: readonly string[]): Promise<string> {
  const { exit, out, err } = await runProgram(process.execPath, [join(folder, "click.mjs"), ...which], environment);
  assert.equal(exit, 0, err);
  return out;
}

async function sessions(count: number): Promise<Session[]> {
  return (await readTopic(broker, "example_sessions", count)).map(({ value }) => value as Session);
}

/** Waits until the function has logged `line`. */
async function logged(line: RegExp): Promise<void> {
  const following = lambent.begin("logs", "example-session", "-f", "--since", "1h");
  await following.said(line);
  await following.interrupt();
}

test("one document brings the stream, the window, its results and the function", () => {
  assert.equal(deployed.exit, 0, deployed.err);
  assert.match(deployed.out, /example-click-sessions {3}window created/u);
});

test("clicks that were put by Kinesis become sessions that a Kafka client reads, and the function gets each", async () => {
  assert.equal(await click(), "8 clicks in example_clicks\n");
  const told = await sessions(3);
  assert.deepEqual(
    told.map(({ key, window, clicks, pages, timing }) => [key, window.start, window.end, clicks, pages.join(" "), timing]),
    [
      ["ben", at(9, 7), at(9, 41), 2, "/ /hats", "onTime"],
      ["ada", at(9, 0), at(9, 42), 3, "/ /shoes /cart", "onTime"],
      ["ada", at(11, 5), at(11, 37), 2, "/cart /pay", "onTime"],
    ],
  );
  await logged(/ada 09:00 to 09:12: 3 clicks: \/ → \/shoes → \/cart/u);
});

test("a click that is an hour late at most makes its session another one; one that is later goes into a stream of its own", async () => {
  assert.equal(await click("late"), "2 clicks in example_clicks\n");
  const again = (await sessions(4))[3];
  assert.deepEqual([again?.key, again?.timing, again?.clicks, again?.pages], ["ada", "late", 3, ["/cart", "/pay", "/thanks"]]);
  assert.deepEqual(again?.window, { start: at(11, 5), end: at(11, 51) });
  assert.deepEqual(again?.replaces, [{ start: at(11, 5), end: at(11, 37) }]);
  const [late] = await readTopic(broker, "example_late_clicks", 1);
  assert.equal(late?.key, "ben");
  assert.deepEqual((late?.value as { readonly value: unknown } | undefined)?.value, {
    user: "ben",
    page: "/hats/bowler",
    time: "2026-03-02T09:15:00Z",
  });
  await logged(/ada 11:05 to 11:21: 3 clicks, instead of the one told at 11:05/u);
});
