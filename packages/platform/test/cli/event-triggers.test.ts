/** `lambent trigger --on`, `--every`, `--cron`, `publish` and `events --chain` against a real server, and the same in a `lambent.yaml`. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { EXIT_CODES } from "../../src/cli/exit-codes.ts";
import { CommandWorld } from "../support/command-world.ts";

const world = new CommandWorld("--retry-time-factor", "0.0001");
await world.start();
after(() => world.stop());

const SHOWS_EVENT = "export const handler = async (event) => console.log(JSON.stringify(event));\n";
const PUBLISHES = `import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
const client = new EventBridgeClient({});
export const handler = async () => {
  await client.send(new PutEventsCommand({ Entries: [{ Source: "packer", DetailType: "parcel.packed", Detail: "{}" }] }));
};
`;

interface Shown {
  readonly Id: string;
  readonly Source: string;
  readonly Target: string;
  readonly State: string;
  readonly Outcome?: string;
  readonly Reason?: string;
  readonly Cause?: string;
}

async function publish(...args: readonly string[]): Promise<string> {
  const { EventId } = JSON.parse(await world.run("publish", ...args, "--json")) as { readonly EventId: string };
  return EventId;
}

/** The events of a chain, once `count` of them have ended. */
async function chain(id: string, count: number): Promise<readonly Shown[]> {
  for (;;) {
    const events = JSON.parse(await world.run("events", id, "--chain", "--json")) as readonly Shown[];
    if (events.filter(({ State }) => State === "ended").length >= count) return events;
  }
}

test("what is missing of bus, rule, permission and target is created and printed; repeating changes what was given", async () => {
  await world.run("deploy", world.file("hello.mjs", SHOWS_EVENT), "--no-url");
  assert.match(
    await world.refused(EXIT_CODES.notFound, "trigger", "hello", "--on", "order.placed", "--bus", "shop", "--no-create"),
    /no event bus shop/u,
  );
  const rule = 'hello-order.placed (guessed)   created on bus shop: {"detail-type":["order.placed"]}';
  assert.equal(
    await world.run("trigger", "hello", "--on", "order.placed", "--bus", "shop"),
    `  bus       shop   created\n  rule      ${rule}\n  allowed   rule hello-order.placed may call hello\n` +
      "  trigger   hello-order.placed → hello   created: events as EventBridge sends them\n",
  );
  assert.equal(
    await world.run("trigger", "hello", "--on", "order.placed", "--bus", "shop", "--format", "cloudevent"),
    `  rule      ${rule.replace("created", "is there already")}\n  trigger   hello-order.placed → hello   changed: events as CloudEvents\n`,
  );
  const file = world.file("pattern.json", '{ "detail": { "total": [{ "numeric": [">", 100] }] } }');
  assert.match(
    await world.run("trigger", "hello", "--on", `@${file}`, "--bus", "shop", "--name", "hello-order.placed"),
    /changed on bus shop: \{"detail":\{"total":\[\{"numeric":\[">",100\]\}\]\}\}\n.*is there already: events as CloudEvents\n$/u,
  );
  assert.match(
    await world.run("triggers"),
    /^hello +rule hello-order\.placed of bus shop +Enabled +\{"detail".*, events as CloudEvents\n$/mu,
  );
});

test("a rule with other targets is not changed under their feet, and stays when a function is taken from it", async () => {
  await world.run("deploy", world.file("other.mjs", SHOWS_EVENT), "--no-url");
  await world.run("trigger", "hello", "--on", "shared.thing", "--name", "shared");
  await world.run("trigger", "other", "--on", "shared.thing", "--name", "shared");
  assert.match(
    await world.refused(EXIT_CODES.usage, "trigger", "other", "--on", "another", "--name", "shared"),
    /function:hello, too\.\n.*--name/u,
  );
  assert.equal(
    await world.run("untrigger", "hello", "--rule", "shared"),
    "  rule shared → hello   removed, the rule has other targets and stays\n",
  );
  assert.match(
    await world.run("trigger", "hello", "--on", "shared.thing", "--name", "shared"),
    /allowed {3}rule shared may call hello/u,
    "the permission went with the trigger",
  );
  await world.run("untrigger", "hello", "--rule", "shared");
  const id = await publish("shared.thing", "{}");
  assert.deepEqual(new Set((await chain(id, 2)).map(({ Target }) => Target.split(":").at(-1))), new Set(["event-bus/default", "other"]));
  assert.equal(await world.run("untrigger", "other"), "  rule shared → other   removed\n");
});

test("a chain is shown as a tree, from whichever of its events it is asked for", async () => {
  await world.run("deploy", world.file("packer.mjs", PUBLISHES), "--no-url");
  await world.run("trigger", "packer", "--on", "order.*");
  await world.run("trigger", "hello", "--on", "parcel.packed");
  const id = await publish("order.paid", '{"number":7}');
  const events = await chain(id, 4);
  const last = events.find(({ Target }) => Target.endsWith(":hello"));
  const shown = await world.run("events", last?.Id ?? "", "--chain");
  assert.equal(shown, await world.run("events", id, "--chain"));
  const [head, ...lines] = shown.trimEnd().split("\n");
  assert.match(head ?? "", /^AT +WHAT +OUTCOME +TOOK +EVENT$/u);
  const expected = [
    /^\+0 ms +order\.paid on bus default +handled +\S+ ms +[0-9a-f-]{36}$/u,
    /^\+\d+ ms +└ rule packer-order-any → packer +handled +\S+ m?s /u,
    / {2}└ parcel\.packed on bus default +handled +\S+ ms /u,
    / {4}└ rule hello-parcel\.packed → hello +handled +\S+ ms /u,
  ];
  assert.equal(lines.length, expected.length, shown);
  for (const [at, pattern] of expected.entries()) assert.match(lines[at] ?? "", pattern);
  assert.match(
    await world.run("events", "--source", "bus", "--function", "packer"),
    / rule packer-order-any: order\.paid +packer +1 +handled\n/u,
  );
});

test("events are published from lines of standard input; what nothing listens to says so; what is no object is refused by its line", async () => {
  const lines = Array.from({ length: 23 }, (_, number) => JSON.stringify({ number }));
  assert.equal(
    await world.runWith(`${lines.join("\n")}\n\n`, "publish", "counted", "-", "--bus", "shop", "--source", "test"),
    "  23 events published to bus shop\n",
  );
  const id = await publish("nobody.cares", "{}");
  assert.match(await world.run("events", id), /outcome +discarded: nothing listens to it\n/u);
  assert.match(await world.refused(EXIT_CODES.usage, "publish", "a", "[1]"), /The event is not a JSON object/u);
  assert.match(await world.refused(EXIT_CODES.notFound, "publish", "a", "{}", "--bus", "nowhere"), /Event bus nowhere does not exist/u);
  assert.match(
    await world.refused(EXIT_CODES.usage, "publish", "a", "{}", "--source", "aws.s3"),
    /\n {2}Sources that begin with aws\. .*--source\.\n$/u,
  );
  assert.match(await world.refused(EXIT_CODES.usage, "publish", "a", "{}", "--bus", "no bus"), /^lambent: --bus is "no bus"/u);
});

test("what is no id, no function and no time to come is said in two lines", async () => {
  for (const verb of ["events", "replay", "cancel"])
    assert.match(
      await world.refused(EXIT_CODES.usage, verb, "nonsense"),
      /^lambent: "nonsense" is no id of an event.*\n.*`npx lambent events` lists/u,
    );
  assert.match(await world.refused(EXIT_CODES.notFound, "triggers", "nobody"), /^lambent: Function not found: .*nobody\n/u);
  assert.match(
    await world.refused(EXIT_CODES.usage, "trigger", "hello", "--cron", "0 0 1 1 ? 2020"),
    /^lambent: Invalid Schedule Expression .*\n {2}Choose a time that is yet to come/u,
  );
  assert.match(
    await world.refused(EXIT_CODES.failed, "replay", await publish("nobody.cares", "{}")),
    /\n {2}`npx lambent events <id> --chain`/u,
  );
});

test("events are followed from the newest on: what was there before and is older is not shown", async () => {
  const ids = [await publish("first", "{}"), await publish("second", "{}")];
  const followed = world.begin("events", "-f", "--limit", "1", "--source", "bus");
  await followed.said(new RegExp(ids[1] ?? "", "u"));
  const third = await publish("third", "{}");
  await followed.said(new RegExp(third, "u"));
  await followed.interrupt();
  const shown = followed.printed().trimEnd().split("\n");
  assert.equal(shown.length, 2, followed.printed());
});

test("an event of a rule that a function failed is handed over again, and is in the chain", async () => {
  await world.run("deploy", world.file("broken.mjs", 'export const handler = async () => { throw new Error("no"); };\n'), "--no-url");
  await world.run("trigger", "broken", "--on", "breaks");
  const id = await publish("breaks", "{}");
  const failed = (await chain(id, 2)).find(({ Cause }) => Cause === id);
  assert.equal(failed?.Reason, "retriesExhausted");
  assert.match(await world.run("replay", failed.Id), /handed over again as/u);
  assert.equal((await chain(id, 3)).filter(({ Cause }) => Cause === failed.Id).length, 1);
});

test("a schedule is made, shown, changed and removed, and calls its function", async () => {
  assert.equal(
    await world.run("trigger", "hello", "--every", "1m", "--input", '{ "kind": "tick" }'),
    "  schedule  hello-every-1-minute (guessed) → hello   created: rate(1 minute)\n",
  );
  const log = world.begin("logs", "hello", "-f", "--since", "1m");
  await log.said(/\{"kind":"tick"\}$/mu);
  await log.interrupt();
  assert.match(await world.run("events", "--source", "schedule"), / schedule hello-every-1-minute +hello +1 +handled\n/u);
  assert.match(await world.run("trigger", "hello", "--every", "60 s"), /is there already: rate\(1 minute\)\n$/u);
  const crontab = ["--cron", "0 3 * * 1-5", "--timezone", "Europe/Berlin", "--name", "hello-every-1-minute"];
  assert.equal(
    await world.run("trigger", "hello", ...crontab),
    `  schedule  hello-every-1-minute → hello   changed: cron(0 3 ? * MON-FRI *) in Europe/Berlin   (read from the crontab's "0 3 * * 1-5")\n`,
  );
  assert.match(await world.refused(EXIT_CODES.usage, "trigger", "other", ...crontab), /Schedule hello-every-1-minute calls .*:hello/u);
  assert.match(await world.run("triggers", "hello"), /^hello +schedule \S+ +Enabled +cron\(0 3 \? \* MON-FRI \*\) in Europe\/Berlin\n/mu);
  assert.equal(
    await world.run("untrigger", "hello", "--schedule", "hello-every-1-minute"),
    "  schedule hello-every-1-minute → hello   removed\n",
  );
});

test("a lambent.yaml brings buses, rules and schedules, shows what would change, and removes what it no longer names", async () => {
  const document = (triggers: string): string =>
    world.file(
      "lambent.yaml",
      `app: depot\nbuses: { depot: { description: parcels } }\nfunctions:\n  keeper:\n    code: other.mjs\n    url: false\n    triggers: [${triggers}]\n`,
    );
  const path = document("{ on: { detail-type: [parcel.came] }, bus: depot, format: cloudevent }, { every: 1 hour }");
  assert.equal(
    await world.run("deploy", path, "--plan"),
    "  keeper   would be created\n  depot   bus would be created\n  depot/keeper-parcel.came → keeper   rule would be created\n" +
      "  keeper-every-1-hour → keeper   schedule would be created\n",
  );
  await world.run("deploy", path);
  assert.equal(await world.run("deploy", path, "--plan"), "  Nothing would change.\n");
  const id = await publish("parcel.came", "{}", "--bus", "depot");
  const log = world.begin("logs", "keeper", "-f", "--since", "1m");
  await log.said(new RegExp(`"specversion":"1.0","id":"${id}"`, "u"));
  await log.interrupt();
  document("{ on: { detail-type: [parcel.came] }, bus: depot, enabled: false }, { cron: 0 3 * * * }");
  assert.match(
    await world.run("deploy", path),
    /keeper-every-1-hour → keeper {3}schedule removed\n.*keeper-parcel\.came → keeper {3}rule changed\n +format: cloudevent → aws\n +enabled: true → false\n.*keeper-cron-0-3 → keeper {3}schedule created\n$/u,
  );
  document("");
  assert.match(await world.run("deploy", path), /rule removed\n.*schedule removed\n$/u);
  assert.match(await world.refused(EXIT_CODES.notFound, "untrigger", "keeper"), /keeper has no trigger\./u);
});
