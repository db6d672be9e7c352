import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { deferred } from "../../../src/base/index.ts";
import { endpointTarget } from "../../../src/delivery/index.ts";
import type { Answer } from "../../../src/delivery/handing.ts";
import type { ParcelOptions } from "../../../src/outbox/index.ts";
import { REALM } from "./destination-world.ts";
import { listen, listenRaw, openClient } from "./world.ts";

function openEndpoints(context: TestContext) {
  const { client, clock } = openClient(context);
  const target = endpointTarget({ client, clock });
  const hand = async (url: string, options: ParcelOptions = {}): Promise<Answer> => {
    const sender = {
      kind: "service",
      realm: REALM,
      service: "sns.amazonaws.com",
      sourceArn: "arn:aws:sns:us-east-1:000000000000:t",
    } as const;
    const from = {
      source: "topic",
      origin: sender.sourceArn,
      subject: undefined,
      dueAt: undefined,
      cause: undefined,
      correlation: "x",
    } as const;
    const parcel = { target: url, sender, payload: Buffer.from("the message"), options, traceHeader: undefined };
    const [answer] = await target.handOver([{ id: "x", parcel, from, again: false }]);
    assert.ok(answer);
    return answer;
  };
  return { clock, target, hand };
}

describe("an endpoint of a topic", () => {
  test("gets the message by POST, with the headers that go with it, and the login of its address", async (context) => {
    const endpoint = await listen(context);
    const { hand } = openEndpoints(context);
    const url = endpoint.url.replace("http://", "http://ada:pass%20word@");
    const headers = { "x-amz-sns-message-type": "Notification", "Content-Type": "text/plain; charset=UTF-8", Connection: "upgrade" };
    assert.deepEqual(await hand(`${url}/hook?a=b`, { headers }), { kind: "taken", recorded: false });
    const [received] = endpoint.received;
    assert.deepEqual([received?.method, received?.path, received?.body], ["POST", "/hook?a=b", "the message"]);
    assert.equal(received?.headers["x-amz-sns-message-type"], "Notification");
    assert.equal(received?.headers["content-type"], "text/plain; charset=UTF-8");
    assert.equal(received?.headers.authorization, `Basic ${Buffer.from("ada:pass word").toString("base64")}`);
    assert.equal(received?.headers.host, `127.0.0.1:${endpoint.port}`);
    assert.notEqual(received?.headers.connection, "upgrade");
  });

  test("is tried again after 429 and 5xx, and after nothing else it answers", async (context) => {
    const { hand } = openEndpoints(context);
    const kinds: Record<number, string> = {
      204: "taken",
      429: "later",
      500: "later",
      503: "later",
      302: "never",
      400: "never",
      401: "never",
      404: "never",
    };
    for (const [status, kind] of Object.entries(kinds)) {
      const endpoint = await listen(context, (_received, response) => void response.writeHead(Number(status)).end());
      assert.equal((await hand(endpoint.url)).kind, kind, status);
    }
  });

  test("has fifteen seconds", async (context) => {
    const asked = deferred<void>();
    const { url } = await listenRaw(context, (socket) => socket.once("data", () => asked.resolve()));
    const { hand, clock } = openEndpoints(context);
    let ended = false;
    const handing = hand(url).finally(() => (ended = true));
    await asked.promise;
    await clock.advance(14_999);
    assert.equal(ended, false);
    await clock.advance(1);
    assert.equal((await handing).kind, "later");
  });

  test("is one by its scheme; what is no address, and what may not be reached, is never", async (context) => {
    const { target, hand } = openEndpoints(context);
    for (const url of ["http://a/", "https://a/", "HTTPS://A/"]) assert.ok(target.takes(url));
    for (const url of ["ftp://a/", "arn:aws:sns:us-east-1:000000000000:t", "httpx://a"]) assert.ok(!target.takes(url));
    for (const url of ["http://", "http://a b/", "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/"])
      assert.equal((await hand(url)).kind, "never", url);
  });
});
