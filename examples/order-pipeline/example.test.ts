import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startLambent } from "../../packages/platform/test/support/lambent-process.ts";

const lambent = await startLambent();
after(() => lambent.stop());
const deployed = await lambent.run("deploy", import.meta.dirname);

/** Long enough for a loaded machine; nothing waits for it but a failure. */
const PATIENCE_MS = 30_000;

async function order(
  body: string,
): Promise<{ readonly status: number; readonly value: { readonly order?: string; readonly error?: string } }> {
  const response = await fetch(`${lambent.url}/function-url/example-order-intake/`, { method: "POST", body });
  return { status: response.status, value: (await response.json()) as { order?: string; error?: string } };
}

interface EventJson {
  readonly State: string;
  readonly AttemptCount: number;
  readonly Outcome?: unknown;
}

/** The order's record once it has ended. */
async function ended(id: string | undefined): Promise<EventJson> {
  for (const giveUpAt = performance.now() + PATIENCE_MS; ;) {
    const { exit, out } = await lambent.run("events", id ?? "", "--json");
    const event = exit === 0 ? (JSON.parse(out) as EventJson) : undefined;
    if (event?.State === "ended") return event;
    assert.ok(performance.now() < giveUpAt, `order ${id} has not ended: ${out}`);
  }
}

test("one document brings queues, functions and the trigger between them", () => {
  assert.equal(deployed.exit, 0, deployed.err);
  assert.match(deployed.out, /example-orders → example-order-worker {3}trigger created/u);
});

test("an order is taken over HTTP and packed by the function behind the queue", async () => {
  const { status, value } = await order('{"item":"tea","quantity":3}');
  assert.equal(status, 202);
  assert.equal((await ended(value.order)).AttemptCount, 1);
  assert.match((await lambent.run("logs", "example-order-worker")).out, /packed 3 × tea/u);
});

test("what cannot be packed is tried twice and ends among the dead letters", async () => {
  const { value } = await order('{"item":"unicorn","quantity":1}');
  const event = await ended(value.order);
  assert.equal(event.AttemptCount, 2);
  assert.match(JSON.stringify(event), /example-orders-failed/u);
});

test("what is no order is refused at the door", async () => {
  assert.equal((await order("{}")).status, 400);
  assert.equal((await order("tea, please")).status, 400);
});
