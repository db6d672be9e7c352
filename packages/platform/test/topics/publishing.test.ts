import assert from "node:assert/strict";
import { createVerify, X509Certificate } from "node:crypto";
import { describe, it } from "node:test";
import { deferred } from "../../src/base/index.ts";
import { LEDGER_KEEP_MS_MIN } from "../../src/ledger/index.ts";
import { isList, readOwnRows } from "../../src/storage/index.ts";
import { keyOfCertificatePath, type NewNotification } from "../../src/topics/index.ts";
import type { TakenDelivery } from "../../src/outbox/index.ts";
import {
  ENDPOINT,
  firstOf,
  functionArnOf,
  idsOf,
  jsonOf,
  openTopicsWorld,
  queueArnOf,
  REALM,
  refusedAs,
  refusedFor,
  topicArnOf,
  type TopicsWorld,
} from "./world.ts";

const ATTRIBUTES: NewNotification["attributes"] = {
  colour: { type: "String", value: "red" },
  count: { type: "Number", value: "3" },
  bytes: { type: "Binary", value: Buffer.from([0, 255]) },
};

/** What a receiver does with a message's signature, as AWS tells it to. */
function verified(world: TopicsWorld, document: Record<string, unknown>): boolean {
  const names =
    document["Type"] === "Notification"
      ? ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
      : ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"];
  const text = names.flatMap((name) => (name in document ? [`${name}\n${String(document[name])}\n`] : [])).join("");
  const url = new URL(String(document["SigningCertURL"]));
  const certificate = world.topics.certificate(keyOfCertificatePath(url.pathname) ?? "");
  const { publicKey } = new X509Certificate(certificate ?? assert.fail("there is no certificate"));
  const digest = document["SignatureVersion"] === "2" ? "sha256" : "sha1";
  return createVerify(digest).update(text).verify(publicKey, String(document["Signature"]), "base64");
}

describe("publishing", () => {
  it("gives a queue SNS's document, signed by the key whose certificate it names", async () => {
    const world = await openTopicsWorld();
    await world.make("news");
    const { arn } = await world.subscribe("news", "sqs", queueArnOf("all"));
    const [id] = idsOf(await world.publish("news", { message: "hello", subject: "greeting", attributes: ATTRIBUTES }));
    const taken = firstOf(await world.due());
    assert.equal(taken.parcel.target, queueArnOf("all"));
    assert.deepEqual(taken.parcel.sender, { kind: "service", realm: REALM, service: "sns.amazonaws.com", sourceArn: topicArnOf("news") });
    const document = jsonOf(taken);
    const { Signature, SigningCertURL, Timestamp, ...rest } = document;
    assert.deepEqual(rest, {
      Type: "Notification",
      MessageId: id,
      TopicArn: topicArnOf("news"),
      Subject: "greeting",
      Message: "hello",
      SignatureVersion: "1",
      UnsubscribeURL: `${ENDPOINT}/?Action=Unsubscribe&SubscriptionArn=${encodeURIComponent(arn)}`,
      MessageAttributes: {
        colour: { Type: "String", Value: "red" },
        count: { Type: "Number", Value: "3" },
        bytes: { Type: "Binary", Value: "AP8=" },
      },
    });
    assert.equal(Timestamp, new Date(world.clock.now()).toISOString());
    assert.match(String(SigningCertURL), /^http:\/\/127\.0\.0\.1:4566\/SimpleNotificationService-[0-9a-f]{32}\.pem$/);
    assert.ok(typeof Signature === "string" && verified(world, document));
    assert.equal(verified(world, { ...document, Message: "other" }), false);
  });

  it("signs with SHA-256 where the topic asks for it, and with the same key after a restart", async () => {
    const world = await openTopicsWorld();
    await world.make("second", { signatureVersion: "2" });
    await world.subscribe("second", "sqs", queueArnOf("all"));
    await world.publish("second", "one");
    const one = jsonOf(firstOf(await world.due()));
    assert.equal(one["SignatureVersion"], "2");
    await world.restart();
    assert.ok(verified(world, one));
    await world.publish("second", "two");
    const two = (await world.due()).map(jsonOf).find(({ Message }) => Message === "two");
    assert.equal(two?.["SigningCertURL"], one["SigningCertURL"]);
  });

  it("gives a function SNS's event", async () => {
    const world = await openTopicsWorld();
    await world.make("news");
    const { arn } = await world.subscribe("news", "lambda", functionArnOf("reader"));
    const [id] = idsOf(await world.publish("news", { message: "hello", attributes: { colour: { type: "String", value: "red" } } }));
    const event = jsonOf(firstOf(await world.due())) as { Records: { Sns: Record<string, unknown> }[] };
    const { Sns, ...record } = firstOf(event.Records);
    assert.deepEqual(record, { EventSource: "aws:sns", EventVersion: "1.0", EventSubscriptionArn: arn });
    const { Signature, SigningCertUrl, UnsubscribeUrl, ...rest } = Sns;
    assert.deepEqual(rest, {
      Type: "Notification",
      MessageId: id,
      TopicArn: topicArnOf("news"),
      Subject: null,
      Message: "hello",
      Timestamp: new Date(world.clock.now()).toISOString(),
      SignatureVersion: "1",
      MessageAttributes: { colour: { Type: "String", Value: "red" } },
    });
    assert.ok(Signature && SigningCertUrl && UnsubscribeUrl);
  });

  it("gives what was published as it is where a subscription asks for raw delivery", async () => {
    const world = await openTopicsWorld();
    await world.make("raw");
    await world.subscribe("raw", "sqs", queueArnOf("all"), { raw: true });
    const { arn, subscription } = await world.subscribe("raw", "http", "http://example.com/hook", { raw: true });
    await world.topics.subscribing.confirm(REALM, "raw", subscription.state.token ?? "", false);
    const [handshake] = await world.due();
    await world.settle(handshake ?? assert.fail("no handshake"));
    const [id] = idsOf(await world.publish("raw", { message: "as it is", attributes: ATTRIBUTES }));
    const due = await world.due();
    const byTarget = new Map(due.map((each) => [each.parcel.target, each.parcel]));
    const queue = byTarget.get(queueArnOf("all"));
    assert.equal(queue?.payload.toString(), "as it is");
    assert.deepEqual({ ...queue?.options.attributes }, ATTRIBUTES);
    const http = byTarget.get("http://example.com/hook");
    assert.equal(http?.payload.toString(), "as it is");
    assert.deepEqual(http?.options.headers, {
      "content-type": "text/plain; charset=UTF-8",
      "user-agent": "Amazon Simple Notification Service Agent",
      "x-amz-sns-message-type": "Notification",
      "x-amz-sns-message-id": id,
      "x-amz-sns-topic-arn": topicArnOf("raw"),
      "x-amz-sns-subscription-arn": arn,
      "x-amz-sns-rawdelivery": "true",
    });
  });

  it("gives each protocol its own text of a message with structure, and filters by that text", async () => {
    const world = await openTopicsWorld();
    await world.make("shapes");
    await world.subscribe("shapes", "sqs", queueArnOf("own"), { raw: true });
    await world.subscribe("shapes", "sqs", queueArnOf("other"), { raw: true, filterPolicy: '{"a":[2]}', filterScope: "MessageBody" });
    await world.subscribe("shapes", "lambda", functionArnOf("reader"));
    const texts = { default: "for all", sqs: '{"a":1}' };
    await world.publish("shapes", { message: JSON.stringify(texts), structure: "json" });
    const due = await world.due();
    assert.deepEqual(due.map(({ parcel }) => parcel.target).sort(), [functionArnOf("reader"), queueArnOf("own")]);
    const text = ({ parcel }: TakenDelivery): unknown =>
      parcel.target === queueArnOf("own")
        ? parcel.payload.toString()
        : (JSON.parse(parcel.payload.toString()) as { Records: { Sns: { Message: string } }[] }).Records[0]?.Sns.Message;
    assert.deepEqual(due.map((taken) => String(text(taken))).sort(), ["for all", '{"a":1}']);
  });

  it("reads a body once, however many subscriptions filter by it", async (context) => {
    const world = await openTopicsWorld();
    await world.make("filtered");
    for (let index = 0; index < 20; index += 1)
      await world.subscribe("filtered", "sqs", queueArnOf(`q${index}`), {
        filterPolicy: JSON.stringify({ number: [index % 2] }),
        filterScope: "MessageBody",
      });
    const parse = context.mock.method(JSON, "parse");
    await world.publish("filtered", '{"number":1}');
    assert.equal(parse.mock.calls.filter(({ arguments: [text] }) => text === '{"number":1}').length, 1);
    assert.equal((await world.due()).length, 10);
  });

  it("refuses a message alone, and names the rule", async () => {
    const world = await openTopicsWorld();
    await world.make("strict");
    await world.subscribe("strict", "sqs", queueArnOf("all"), { raw: true });
    const bad: readonly (readonly [Partial<NewNotification>, RegExp])[] = [
      [{ message: "" }, /^Invalid parameter: Empty message$/],
      [{ message: "x".repeat(262_145) }, /^Invalid parameter: Message too long$/],
      [{ message: "x".repeat(262_140), attributes: { a: { type: "String", value: "b" } } }, /Message too long/],
      [{ subject: "two\nlines" }, /^Invalid parameter: Subject$/],
      [{ subject: "x".repeat(101) }, /Subject/],
      [{ subject: "" }, /Subject/],
      [{ message: "no json", structure: "json" }, /JSON message body failed to parse/],
      [{ message: '{"sqs":"x"}', structure: "json" }, /No default entry/],
      [{ attributes: { "aws.x": { type: "String", value: "b" } } }, /attribute name 'aws.x'/],
      [{ attributes: { a: { type: "Colour", value: "b" } } }, /invalid message attribute type/],
      [{ attributes: { a: { type: "String", value: "" } } }, /non-empty message attribute value/],
      [{ attributes: { a: { type: "Number", value: "three" } } }, /Could not cast message attribute 'a' value to number/],
      [{ deduplication: "d" }, /not valid for this topic type/],
      [{ group: "a b" }, /MessageGroupId/],
    ];
    const outcomes = await world.publish("strict", "good", ...bad.map(([message]) => message));
    assert.equal(outcomes[0]?.kind, "published");
    for (const [index, [, text]] of bad.entries()) {
      const outcome = outcomes[index + 1];
      assert.ok(outcome?.kind === "refused", `${String(text)} was published`);
      assert.match(outcome.error.message, text);
    }
    assert.equal((await world.due()).length, 1);
    await assert.rejects(world.publish("nowhere", "x"), refusedAs("NotFound", /^Topic does not exist$/));
  });

  it("takes a message of exactly 256 KB", async () => {
    const world = await openTopicsWorld();
    await world.make("full");
    await world.subscribe("full", "sqs", queueArnOf("all"), { raw: true });
    idsOf(await world.publish("full", "x".repeat(262_144)));
    assert.equal(firstOf(await world.due()).parcel.payload.length, 262_144);
  });

  it("keeps a record of the message, and one of each delivery that it caused (P2)", async () => {
    const world = await openTopicsWorld();
    await world.make("told");
    await world.subscribe("told", "sqs", queueArnOf("a"));
    await world.subscribe("told", "sqs", queueArnOf("b"), { filterPolicy: '{"colour":["red"]}' });
    const [both, one] = idsOf(await world.publish("told", { attributes: ATTRIBUTES }, "plain"));
    const { ledger } = firstOf([...world.outboxes.values()]);
    const record = await ledger.get(both ?? "");
    assert.equal(record?.target, topicArnOf("told"));
    assert.equal(record?.state.kind === "ended" && record.state.outcome.kind, "handled");
    const due = await world.due();
    assert.deepEqual(
      due.map(({ cause, correlation }) => `${cause} ${correlation}`).sort(),
      [both, both, one].map((id) => `${id} ${id}`).sort(),
    );
  });

  it("ends a message that nobody wants as such (P2), and goes on a chain that it is part of", async () => {
    const world = await openTopicsWorld();
    await world.make("chained");
    const traceHeader =
      "Root=1-5759e988-bd862e3fe1be46a994272793;Event=00000000-0000-7000-8000-000000000001:00000000-0000-7000-8000-000000000002";
    const [outcome] = await world.topics.publish(
      REALM,
      "chained",
      [{ message: "x", structure: "plain", subject: "s", attributes: {}, group: undefined, deduplication: undefined }],
      { traceHeader },
    );
    const [id] = idsOf([outcome ?? assert.fail("no outcome")]);
    const record = await firstOf([...world.outboxes.values()]).ledger.get(id ?? "");
    assert.deepEqual(record?.state, { kind: "ended", at: world.clock.now(), outcome: { kind: "discarded", reason: "noListener" } });
    assert.equal(record?.cause, "00000000-0000-7000-8000-000000000001");
    assert.equal(record?.correlation, "00000000-0000-7000-8000-000000000002");
    assert.equal(record?.subject, "s");
    await world.subscribe("chained", "sqs", queueArnOf("a"));
    await world.topics.publish(
      REALM,
      "chained",
      [{ message: "x", structure: "plain", subject: undefined, attributes: {}, group: undefined, deduplication: undefined }],
      { traceHeader },
    );
    const taken = firstOf(await world.due());
    assert.equal(taken.parcel.traceHeader, traceHeader);
    assert.equal(taken.correlation, "00000000-0000-7000-8000-000000000002");
  });

  it("tries a queue as AWS does, then gives the message to the dead-letter queue with why", async () => {
    const world = await openTopicsWorld();
    await world.make("dead");
    await world.subscribe("dead", "sqs", queueArnOf("gone"), { raw: true, deadLetter: queueArnOf("letters") });
    await world.publish("dead", { message: "lost", attributes: { colour: { type: "String", value: "red" } } });
    const waits: number[] = [];
    for (let attempt = 0; attempt < 16; attempt += 1) {
      const from = world.clock.now();
      const taken = await untilDue(world);
      waits.push(world.clock.now() - from);
      await world.settle(taken, refusedFor("later"));
    }
    // The first attempt, three at once, two after a second, ten from 1 to 20 s: each wait is between half and all of that.
    assert.deepEqual(waits.slice(0, 4), [0, 0, 0, 0]);
    assert.ok(
      waits.slice(4, 7).every((wait) => wait >= 500 && wait <= 1_100),
      String(waits),
    );
    assert.ok(waits.every((wait) => wait <= 20_100) && (waits.at(-1) ?? 0) >= 10_000, String(waits));
    const last = await untilDue(world);
    await world.settle(last, refusedFor("never", "NO_PERMISSIONS"));
    const letter = firstOf(await world.due());
    assert.equal(letter.parcel.target, queueArnOf("letters"));
    assert.equal(letter.parcel.payload.toString(), "lost");
    assert.deepEqual(
      { ...letter.parcel.options.attributes },
      {
        colour: { type: "String", value: "red" },
        RequestID: { type: "String", value: last.id },
        ErrorCode: { type: "String", value: "NO_PERMISSIONS" },
        ErrorMessage: { type: "String", value: "no" },
      },
    );
  });

  it("delivers after a restart what was published before it, also when the topic was deleted meanwhile", async () => {
    const world = await openTopicsWorld();
    await world.make("kept");
    await world.subscribe("kept", "sqs", queueArnOf("a"), { raw: true });
    await world.publish("kept", "one");
    await world.topics.delete(REALM, "kept");
    await assert.rejects(world.publish("kept", "two"), refusedAs("NotFound"));
    await world.restart();
    assert.deepEqual(
      (await world.due()).map(({ parcel }) => parcel.payload.toString()),
      ["one"],
    );
    assert.equal(world.topics.subscriptions(REALM, { limit: 10 }).length, 0);
  });

  it("of a topic that was deleted leaves nothing, once its records are old enough", async () => {
    const world = await openTopicsWorld();
    await world.make("gone");
    await world.subscribe("gone", "sqs", queueArnOf("a"), { raw: true });
    const [id] = idsOf(await world.publish("gone", "one"));
    await world.topics.delete(REALM, "gone");
    const [cell] = [...world.outboxes.keys()];
    await world.settle(firstOf(await world.due()));
    await world.topics.close();
    await world.restart();
    assert.equal(await isList(world.store, cell ?? ""), true);
    assert.ok((await readOwnRows(world.store, cell ?? "", { prefix: "ledger/", limit: 10 })).some(({ key }) => key.includes(id ?? "-")));
    await world.topics.close();
    await world.clock.advance(LEDGER_KEEP_MS_MIN + 1);
    await world.restart();
    assert.equal(await isList(world.store, cell ?? ""), false);
    assert.deepEqual(await world.store.list(cell ?? "", { prefix: "", limit: 10 }), []);
  });

  it("of a topic that was deleted holds nothing open once it has nothing to deliver", async () => {
    const world = await openTopicsWorld();
    await world.make("left");
    await world.subscribe("left", "sqs", queueArnOf("a"), { raw: true });
    await world.publish("left", "one");
    await world.make("done.fifo");
    await world.publish("done.fifo", { message: "two", group: "g", deduplication: "d" });
    await world.topics.delete(REALM, "left");
    await world.topics.delete(REALM, "done.fifo");
    await world.clock.advance(0);
    const outboxOf = (name: string) => [...world.outboxes].find(([cell]) => cell.includes(`/${name}/`))?.[1] ?? assert.fail(name);
    await assert.rejects(outboxOf("done.fifo").take(1), refusedAs("ShuttingDown"));
    assert.equal((await outboxOf("left").take(1))?.length, 1);
    await world.make("done.fifo");
    idsOf(await world.publish("done.fifo", { message: "three", group: "g", deduplication: "d" }));
  });

  it("that waits to be written when its topic is deleted is delivered", async () => {
    const written = deferred<void>();
    let isLate = false;
    const world = await openTopicsWorld(({ kind, cell }) =>
      isLate && kind === "commit" && cell.includes("/topic/") ? { kind: "acknowledgeLate", until: written.promise } : undefined,
    );
    await world.make("late");
    await world.subscribe("late", "sqs", queueArnOf("a"), { raw: true });
    await world.publish("late", "before");
    const before = firstOf(await world.due());
    isLate = true;
    // While its end is being written nothing is left to deliver; what comes then waits for its turn.
    const settling = world.settle(before);
    await world.clock.advance(0);
    const publishing = world.publish("late", "last");
    await world.clock.advance(0);
    await world.topics.delete(REALM, "late");
    await world.clock.advance(0);
    isLate = false;
    written.resolve();
    await settling;
    idsOf(await publishing);
    await world.clock.advance(0);
    assert.deepEqual(
      (await world.due()).map(({ parcel }) => parcel.payload.toString()),
      ["last"],
    );
  });

  it("goes on behind a restart whatever became of another topic's cell, and once the storage is no longer busy", async () => {
    let fault: { readonly cell: string; readonly kind: "damaged" | "busy" } | undefined;
    const world = await openTopicsWorld(({ cell }) => (fault && cell.includes(fault.cell) ? { kind: fault.kind } : undefined));
    for (const name of ["broken", "waits"]) {
      await world.make(name);
      await world.subscribe(name, "sqs", queueArnOf(name), { raw: true });
      await world.publish(name, name);
    }
    world.problems = [];
    fault = { cell: "/topic/broken/", kind: "damaged" };
    await world.restart();
    assert.deepEqual(
      [...world.outboxes.keys()].map((cell) => cell.split("/")[2]),
      ["waits"],
    );
    assert.equal(world.problems.length, 1);
    fault = { cell: "/topic/waits/", kind: "busy" };
    const started = world.restart();
    await world.clock.advance(2_500);
    fault = undefined;
    await world.clock.advance(1_000);
    await started;
    assert.equal((await world.due()).length, 2);
  });

  it("is refused alone when the storage is busy", async () => {
    let isBusy = false;
    const world = await openTopicsWorld(({ kind, cell }) =>
      isBusy && kind === "commit" && cell.includes("/topic/") ? { kind: "busy" } : undefined,
    );
    await world.make("busy");
    await world.publish("busy", "before");
    isBusy = true;
    const [outcome] = await world.publish("busy", "x");
    assert.equal(outcome?.kind === "refused" && outcome.error.code, "StorageBusy");
  });

  it("reaches hundreds of subscriptions with a large message, a commit at a time", async () => {
    const world = await openTopicsWorld();
    await world.make("many");
    for (let index = 0; index < 300; index += 1) await world.subscribe("many", "sqs", queueArnOf(`q${index}`), { raw: index % 2 === 0 });
    idsOf(await world.publish("many", "x".repeat(20_000)));
    const due = await world.due();
    assert.equal(new Set(due.map(({ parcel }) => parcel.target)).size, 300);
  });
});

async function untilDue(world: TopicsWorld): Promise<TakenDelivery> {
  for (let step = 0; step < 1_000; step += 1) {
    const [taken] = await world.due();
    if (taken) return taken;
    await world.clock.advance(100);
  }
  return assert.fail("nothing became due");
}
