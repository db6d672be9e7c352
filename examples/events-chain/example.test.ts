import assert from "node:assert/strict";
import { after, test } from "node:test";
import { CommandWorld } from "../../packages/platform/test/support/command-world.ts";
import { startLambent } from "../../packages/platform/test/support/lambent-process.ts";

// A minute between attempts is 60 ms.
process.env["LAMBENT_RETRY_TIME_FACTOR"] = "0.001";
const lambent = await startLambent();
after(() => lambent.stop());
const deployed = await lambent.run("deploy", import.meta.dirname);

/** Long enough for a loaded machine; nothing waits for it but a failure. */
const PATIENCE_MS = 30_000;

async function signUp(body: string): Promise<{ readonly status: number; readonly value: { readonly event?: string } }> {
  const response = await fetch(`${lambent.url}/function-url/example-sign-up/`, { method: "POST", body });
  return { status: response.status, value: (await response.json()) as { event?: string } };
}

interface Step {
  readonly Id: string;
  readonly Cause?: string;
  readonly Subject?: string;
  readonly Target: string;
  readonly AttemptCount: number;
  readonly State: string;
  readonly Outcome?: string;
}

/** The chain's events once the last function has handled its own. */
async function chainOf(id: string): Promise<readonly Step[]> {
  for (const giveUpAt = performance.now() + PATIENCE_MS; ;) {
    const { out } = await lambent.run("events", id, "--chain", "--json");
    const steps = out === "" ? [] : (JSON.parse(out) as readonly Step[]);
    if (steps.length === 4 && steps.every(({ State }) => State === "ended")) return steps;
    assert.ok(performance.now() < giveUpAt, `the chain has not ended: ${out}`);
  }
}

test("one document brings the bus, the functions and the rules between them", () => {
  assert.equal(deployed.exit, 0, deployed.err);
  assert.match(deployed.out, /example-accounts {3}bus created/u);
});

test("a sign-up leads to a profile, at the second attempt, and that to a welcome", async () => {
  const { status, value } = await signUp('{"name":"Ada"}');
  assert.equal(status, 202);
  const steps = await chainOf(value.event ?? "");
  const causedBy = (id: string | undefined): Step | undefined => steps.find(({ Cause }) => Cause === id);
  const profile = causedBy(value.event);
  const made = causedBy(profile?.Id);
  const welcome = causedBy(made?.Id);
  assert.deepEqual([profile?.AttemptCount, made?.Subject, welcome?.AttemptCount], [2, "profile.made", 1]);
  assert.match((await lambent.run("logs", "example-welcome")).out, /profile\.made: welcome, Ada! Your page is \/people\/Ada/u);
});

test("a server that is killed while the profile waits for its next attempt goes on with the chain", async (t) => {
  // A minute is 600 ms: long enough to be killed in.
  const world = new CommandWorld("--retry-time-factor", "0.01");
  await world.start();
  t.after(() => world.stop());
  await world.run("deploy", import.meta.dirname);
  const answer = JSON.parse(await world.run("invoke", "example-sign-up", "--event", '{"body":"{\\"name\\":\\"Ada\\"}"}')) as {
    readonly body: string;
  };
  const { event = "" } = JSON.parse(answer.body) as { readonly event?: string };
  const steps = async (): Promise<readonly Step[]> => JSON.parse(await world.run("events", event, "--chain", "--json")) as readonly Step[];
  while (!(await steps()).some(({ Target, AttemptCount }) => Target.endsWith(":example-profile") && AttemptCount > 0));
  await world.kill();
  await world.start();
  for (const giveUpAt = performance.now() + PATIENCE_MS; ;) {
    const welcomed = (await steps()).find(({ Target, State }) => Target.endsWith(":example-welcome") && State === "ended");
    if (welcomed) return assert.equal(welcomed.Outcome, "handled");
    assert.ok(performance.now() < giveUpAt, "the chain has not ended");
  }
});

test("who says no name is told what to say", async () => {
  assert.equal((await signUp("{}")).status, 400);
  assert.equal((await signUp("Ada, please")).status, 400);
});
