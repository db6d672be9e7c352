import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Answer } from "../../../src/delivery/handing.ts";
import type { HttpFailure } from "../../../src/delivery/http/http-client.ts";
import type { HttpEnding } from "../../../src/delivery/index.ts";
import {
  API_DESTINATION_POLICY,
  type EndpointPolicy,
  retryAfterMs,
  TOPIC_ENDPOINT_POLICY,
  verdictOf,
} from "../../../src/delivery/http/verdict.ts";

const NOW = Date.UTC(2026, 0, 1, 12, 0, 0);

const answered = (status: number, retryAfter?: string): HttpEnding => ({
  kind: "answered",
  status,
  headers: retryAfter === undefined ? {} : { "retry-after": retryAfter },
  body: Buffer.alloc(0),
  whole: true,
});

const shown = (answer: Answer): string =>
  answer.kind === "later" || answer.kind === "never" ? `${answer.kind} ${answer.refusal.code}` : answer.kind;
const verdict = (policy: EndpointPolicy, status: number): string => shown(verdictOf(answered(status), policy, NOW));

describe("what an endpoint's status means", () => {
  test("for an API destination: 2xx takes, 401, 407, 409, 429 and 5xx are tried again, all else never", () => {
    for (const status of [200, 202, 204, 206, 299]) assert.equal(verdict(API_DESTINATION_POLICY, status), "taken");
    for (const status of [401, 407, 409, 500, 502, 503, 504, 599])
      assert.equal(verdict(API_DESTINATION_POLICY, status), `later HTTP_${status}`);
    assert.equal(verdict(API_DESTINATION_POLICY, 429), "later THROTTLING");
    for (const status of [301, 302, 304, 307, 400, 403, 404, 408, 410, 422, 499, 600, 999]) {
      assert.equal(verdict(API_DESTINATION_POLICY, status), "never SDK_CLIENT_ERROR", String(status));
    }
  });

  test("for a topic's endpoint: every 4xx but 429 is for good", () => {
    assert.equal(verdict(TOPIC_ENDPOINT_POLICY, 200), "taken");
    for (const status of [401, 407, 409, 404, 302])
      assert.equal(verdict(TOPIC_ENDPOINT_POLICY, status), "never SDK_CLIENT_ERROR", String(status));
    assert.equal(verdict(TOPIC_ENDPOINT_POLICY, 429), "later THROTTLING");
    assert.equal(verdict(TOPIC_ENDPOINT_POLICY, 503), "later HTTP_503");
  });

  test("a call that failed is tried again, but for an address that may not be reached and a request that cannot be written", () => {
    const failed = (why: HttpFailure) => shown(verdictOf({ kind: "failed", why, message: "m" }, API_DESTINATION_POLICY, NOW));
    assert.equal(failed("timedOut"), "later TIMEOUT");
    assert.equal(failed("unreachable"), "later CONNECTION_FAILURE");
    assert.equal(failed("broken"), "later CONNECTION_FAILURE");
    assert.equal(failed("garbled"), "later INVALID_RESPONSE");
    assert.equal(failed("refused"), "never EGRESS_REFUSED");
    assert.equal(failed("invalid"), "never SDK_CLIENT_ERROR");
    assert.equal(verdictOf({ kind: "busy" }, API_DESTINATION_POLICY, NOW).kind, "wait");
  });
});

describe("Retry-After", () => {
  test("is seconds, or a date in the form of HTTP; nothing else counts", () => {
    assert.equal(retryAfterMs("120", NOW), 120_000);
    assert.equal(retryAfterMs("-1", NOW), -1_000);
    assert.equal(retryAfterMs("Thu, 01 Jan 2026 12:00:30 GMT", NOW), 30_000);
    assert.equal(retryAfterMs("Thu, 01 Jan 2026 11:00:00 GMT", NOW), 0);
    for (const text of ["", "soon", "1.5", "9".repeat(20), "2026-01-01T12:00:30Z", "2027 01", "Thu, 99 Foo 2026 12:00:30 GMT"])
      assert.equal(retryAfterMs(text, NOW), undefined, text);
    assert.equal(retryAfterMs(undefined, NOW), undefined);
  });

  test("is passed on with a status that is tried again", () => {
    const answer = verdictOf(answered(503, "7"), API_DESTINATION_POLICY, NOW);
    assert.ok(answer.kind === "later");
    assert.equal(answer.refusal.retryAfterMs, 7_000);
  });

  test("that is negative ends an API destination's attempts, and not a topic's", () => {
    assert.equal(verdictOf(answered(429, "-1"), API_DESTINATION_POLICY, NOW).kind, "never");
    assert.equal(verdictOf(answered(429, "-1"), TOPIC_ENDPOINT_POLICY, NOW).kind, "later");
  });
});
