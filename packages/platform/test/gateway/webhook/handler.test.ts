import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { describe, test, type TestContext } from "node:test";
import { deferred, LambentError, ManualClock } from "../../../src/base/index.ts";
import {
  type ApiHandler,
  BodyBudget,
  type FunctionUrlHandler,
  Gateway,
  type WebhookEvent,
  type WebhookSource,
} from "../../../src/gateway/index.ts";
import { WEBHOOK_ID_CHARACTERS_MAX } from "../../../src/gateway/webhook/event.ts";
import { WEBHOOK_BODY_BYTES_MAX, WebhookHandler } from "../../../src/gateway/webhook/handler.ts";
import { SeenMessages, WEBHOOK_SEEN_MAX, WEBHOOK_SEEN_MS } from "../../../src/gateway/webhook/seen-messages.ts";
import { send } from "../../support/signed-http.ts";

const SECRET = "a-secret-of-its-own";
const STANDARD_KEY = Buffer.alloc(24, 7);
const STANDARD_SECRET = `whsec_${STANDARD_KEY.toString("base64")}`;

const SOURCES: Readonly<Record<string, WebhookSource>> = Object.fromEntries(
  [
    { name: "std", check: { style: "standard", secrets: [STANDARD_SECRET] } } as const,
    { name: "gh", check: { style: "github", secrets: [SECRET] } } as const,
    { name: "st", check: { style: "stripe", secrets: [SECRET] }, detailType: "payment" } as const,
    { name: "open", check: { style: "none", secrets: [] } } as const,
    { name: "closed", check: undefined },
  ].map((source): [string, WebhookSource] => [source.name, { bus: "default", detailType: undefined, ...source }]),
);

type Accept = (source: WebhookSource, event: WebhookEvent) => Promise<string>;

/** The gateway with webhooks on a free port; `accept` is the bus behind it. */
async function open(context: TestContext, accept?: Accept) {
  const clock = new ManualClock();
  const accepted: WebhookEvent[] = [];
  const defects: unknown[] = [];
  const bodies = new BodyBudget();
  const handler = new WebhookHandler({
    find: (name) => (Object.hasOwn(SOURCES, name) ? SOURCES[name] : undefined),
    accept: async (source, event) => {
      const id = accept ? await accept(source, event) : `event-${accepted.length + 1}`;
      accepted.push(event);
      return id;
    },
    reportDefect: (error) => defects.push(error),
    ...{ bodies, clock },
  });
  const gateway = new Gateway({
    api: { handle: async (_request: unknown, response: { end: (text: string) => void }) => response.end("api") } as unknown as ApiHandler,
    functionUrls: {} as FunctionUrlHandler,
    findUrl: () => undefined,
    webhooks: handler,
    browserRules: { allowedHosts: [], allowedOrigins: [] },
    health: () => ({}),
    reportDefect: (error) => defects.push(error),
  });
  const { port } = await gateway.listen("127.0.0.1", 0);
  context.after(async () => {
    await gateway.close(Promise.resolve());
    assert.equal(bodies.held, 0, "bytes of a body were not given back");
  });
  const post = async (name: string, body: string | Buffer, headers: Record<string, string> = {}, method = "POST") => {
    const reply = await send(`http://127.0.0.1:${port}`, { method, path: `/webhooks/${name}`, headers, body });
    const text = reply.body.toString();
    return { status: reply.status, headers: reply.headers, value: (text === "" ? {} : JSON.parse(text)) as Record<string, unknown> };
  };
  const standard = (id: string, body: string, at = Math.floor(clock.now() / 1_000)) =>
    post("std", body, {
      "webhook-id": id,
      "webhook-timestamp": String(at),
      "webhook-signature": `v1,${createHmac("sha256", STANDARD_KEY).update(`${id}.${at}.${body}`).digest("base64")}`,
    });
  const github = (body: string | Buffer, headers: Record<string, string> = {}) =>
    post("gh", body, {
      "x-hub-signature-256": `sha256=${createHmac("sha256", SECRET).update(body).digest("hex")}`,
      "x-github-event": "push",
      ...headers,
    });
  return { port, clock, accepted, defects, post, standard, github };
}

describe("a webhook", () => {
  test("that is signed becomes an event of its source, and is answered with the event's id", async (context) => {
    const { standard, accepted } = await open(context);
    const body = '{"type": "order.paid", "amount": 12.50}';
    const { status, value } = await standard("msg_1", body);
    assert.deepEqual([status, value], [202, { id: "event-1" }]);
    assert.deepEqual(accepted, [{ source: "webhook.std", detailType: "order.paid", detail: body, id: "msg_1" }]);
  });

  test("of GitHub has its event as detail-type, also when its JSON comes in a form", async (context) => {
    const { github, accepted } = await open(context);
    await github('{"ref":"main"}', { "x-github-delivery": "d1" });
    const form = `payload=${encodeURIComponent('{"ref":"a&b"}')}`;
    await github(form, { "x-github-delivery": "d2", "content-type": "application/x-www-form-urlencoded" });
    assert.deepEqual(accepted, [
      { source: "webhook.gh", detailType: "push", detail: '{"ref":"main"}', id: "d1" },
      { source: "webhook.gh", detailType: "push", detail: '{"ref":"a&b"}', id: "d2" },
    ]);
  });

  test("of Stripe is known by the id in its body; a detail-type that is configured counts first", async (context) => {
    const { post, accepted, clock } = await open(context);
    const at = Math.floor(clock.now() / 1_000);
    const body = '{"id":"evt_1","type":"charge.succeeded"}';
    const signature = createHmac("sha256", SECRET).update(`${at}.${body}`).digest("hex");
    const headers = { "stripe-signature": `t=${at},v1=${signature}` };
    assert.equal((await post("st", body, headers)).status, 202);
    assert.deepEqual((await post("st", body, headers)).value, { id: "event-1", duplicate: true });
    assert.deepEqual(accepted, [{ source: "webhook.st", detailType: "payment", detail: body, id: "evt_1" }]);
  });

  test("that is not signed is taken where that is configured and allowed", async (context) => {
    const { post, accepted } = await open(context);
    assert.equal((await post("open", '{"a":1}')).status, 202);
    assert.equal((await post("open", '{"a":1}')).status, 202);
    assert.deepEqual(
      accepted.map(({ detailType, id }) => [detailType, id]),
      [
        ["webhook", undefined],
        ["webhook", undefined],
      ],
    );
    const { status, value } = await post("closed", '{"a":1}');
    assert.deepEqual([status, value["code"]], [403, "AccessDenied"]);
  });
});

describe("nothing enters", () => {
  test("with a signature that is wrong, missing, or too old", async (context) => {
    const { standard, github, post, accepted, clock } = await open(context);
    const answers = [
      await github("{}", { "x-hub-signature-256": `sha256=${"0".repeat(64)}` }),
      await post("gh", "{}"),
      await standard("m", "{}", Math.floor(clock.now() / 1_000) - 301),
      await post("st", "{}", { "stripe-signature": "t=1,v1=00" }),
    ];
    for (const { status, value } of answers) assert.deepEqual([status, value["code"]], [401, "SignatureMismatch"]);
    assert.deepEqual(accepted, []);
  });

  test("that is no JSON object, though it is signed", async (context) => {
    const { github, accepted } = await open(context);
    for (const body of ["", "{", "[1]", '"text"', "null", "\0\xff", Buffer.from([0xff, 0xfe])])
      assert.equal((await github(body)).status, 400, JSON.stringify(body));
    assert.deepEqual(accepted, []);
  });

  test("for a source that is not there, by another method, or under a path that is none", async (context) => {
    const { post, accepted } = await open(context);
    for (const name of ["nobody", "__proto__", "constructor", "gh/more", "g%68", "", "x".repeat(5_000)])
      assert.equal((await post(name, "{}")).status, 404, name);
    const { status, headers } = await post("gh", "", {}, "GET");
    assert.deepEqual([status, headers.allow], [405, "POST"]);
    assert.deepEqual(accepted, []);
  });

  test("from a page of another site in a browser on this machine", async (context) => {
    const { post, accepted } = await open(context);
    for (const headers of [{ origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }, { host: "evil.example" }])
      assert.equal((await post("open", "{}", headers as Record<string, string>)).status, 403, JSON.stringify(headers));
    assert.deepEqual(accepted, []);
  });

  test("that would exhaust who reads it, by nesting as deep as it is long", async (context) => {
    const { post, defects } = await open(context);
    const deep = 500_000;
    for (const body of [
      `{"a":${"[".repeat(deep)}${"]".repeat(deep)}}`,
      `${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}`,
      "[".repeat(deep),
    ])
      assert.ok([202, 400].includes((await post("open", body)).status));
    assert.deepEqual(defects, []);
    assert.equal((await post("open", "{}")).status, 202);
  });

  test("that is larger than allowed, declared or not", async (context) => {
    const { github, post, port, accepted } = await open(context);
    const fitting = `{"a":"${"x".repeat(WEBHOOK_BODY_BYTES_MAX - 8)}"}`;
    assert.equal((await github(fitting)).status, 202);
    assert.equal((await post("gh", `${fitting} `)).status, 413);
    const socket = connect(port, "127.0.0.1");
    let answer = "";
    socket.on("data", (piece) => (answer += piece.toString()));
    socket.on("error", () => undefined);
    await once(socket, "connect");
    socket.write("POST /webhooks/gh HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n");
    for (let sent = 0; sent <= WEBHOOK_BODY_BYTES_MAX; sent += 65_536) socket.write(`10000\r\n${"x".repeat(65_536)}\r\n`);
    socket.write("0\r\n\r\n");
    await once(socket, "close");
    assert.match(answer, /^HTTP\/1\.1 413 /);
    assert.equal(accepted.length, 1);
  });

  test("whose sender leaves within the body", async (context) => {
    const { port, accepted, defects, github } = await open(context);
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => undefined);
    await once(socket, "connect");
    socket.write("POST /webhooks/gh HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{");
    socket.destroy();
    await once(socket, "close");
    assert.equal((await github('{"next":1}')).status, 202);
    assert.deepEqual([accepted.length, defects], [1, []]);
  });
});

describe("a message that is sent again", () => {
  test("is answered with the event it led to, and is none more", async (context) => {
    const { standard, accepted } = await open(context);
    await standard("m", '{"a":1}');
    const { status, value } = await standard("m", '{"a":1}');
    assert.deepEqual([status, value], [200, { id: "event-1", duplicate: true }]);
    assert.equal((await standard("other", '{"a":1}')).status, 202);
    assert.equal(accepted.length, 2);
  });

  test("while it still is being taken waits for the same end", async (context) => {
    const stored = deferred<string>();
    const asked = deferred<void>();
    const { standard, accepted } = await open(context, () => {
      asked.resolve();
      return stored.promise;
    });
    const first = standard("m", "{}");
    await asked.promise;
    const second = standard("m", "{}");
    stored.resolve("the-event");
    assert.deepEqual([(await first).value, (await second).value["id"]], [{ id: "the-event" }, "the-event"]);
    assert.equal(accepted.length, 1);
  });

  test("after it could not be taken is taken", async (context) => {
    let busy = true;
    const { standard, defects } = await open(context, async () => {
      if (busy) throw new LambentError("StorageBusy", "too much waits");
      return "e";
    });
    const refused = await standard("m", "{}");
    assert.deepEqual([refused.status, refused.headers["retry-after"], refused.value["code"]], [503, "1", "StorageBusy"]);
    busy = false;
    assert.deepEqual([(await standard("m", "{}")).status, defects], [202, []]);
  });

  test("is known again with a good signature only", async (context) => {
    const { standard, post } = await open(context);
    await standard("m", "{}");
    assert.equal((await post("std", "{}", { "webhook-id": "m" })).status, 401);
  });

  test("is not known by an id that is too long to be remembered", async (context) => {
    const { post, accepted, clock } = await open(context);
    const at = Math.floor(clock.now() / 1_000);
    for (const [length, known] of [
      [WEBHOOK_ID_CHARACTERS_MAX, true],
      [WEBHOOK_ID_CHARACTERS_MAX + 1, false],
    ] as const) {
      const body = JSON.stringify({ id: "e".repeat(length) });
      const signature = createHmac("sha256", SECRET).update(`${at}.${body}`).digest("hex");
      const headers = { "stripe-signature": `t=${at},v1=${signature}` };
      assert.equal((await post("st", body, headers)).status, 202);
      assert.equal((await post("st", body, headers)).status, known ? 200 : 202);
    }
    assert.deepEqual(
      accepted.map(({ id }) => id?.length),
      [WEBHOOK_ID_CHARACTERS_MAX, undefined, undefined],
    );
  });

  test("is forgotten after its time, and the oldest first at the bound", async () => {
    const seen = new SeenMessages();
    seen.add("a", Promise.resolve("1"), 0);
    assert.ok(seen.find("a", WEBHOOK_SEEN_MS - 1));
    assert.equal(seen.find("a", WEBHOOK_SEEN_MS), undefined);
    for (let index = 0; index <= WEBHOOK_SEEN_MAX; index += 1) seen.add(`m${index}`, Promise.resolve("e"), 0);
    assert.equal(seen.find("m0", 0), undefined);
    assert.ok(seen.find("m1", 0) && seen.find(`m${WEBHOOK_SEEN_MAX}`, 0));
  });
});

describe("P8: what stands behind a webhook", () => {
  test("refuses in its own words, and a defect of it is told and costs one answer", async (context) => {
    const ends: unknown[] = [
      new LambentError("Throttled", "later"),
      new LambentError("InvalidParameter", "too large"),
      new TypeError("a bug"),
    ];
    const { github, defects } = await open(context, async () => {
      const end = ends.shift();
      if (end) throw end;
      return "e";
    });
    assert.deepEqual([(await github("{}")).status, (await github("{}")).status], [429, 400]);
    const { status, value } = await github("{}");
    assert.deepEqual([status, value["code"], String(value["message"]).includes("a bug")], [500, "InternalError", false]);
    assert.equal(defects.length, 1);
    assert.equal((await github("{}")).status, 202);
  });
});
