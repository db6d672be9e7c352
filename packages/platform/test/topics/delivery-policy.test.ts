import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type BackoffFunction,
  checkHealthyRetryPolicy,
  DEFAULT_HEALTHY_RETRY_POLICY,
  effectivePolicy,
  grown,
  httpRetry,
  MANAGED_RETRY,
  waitsOf,
} from "../../src/topics/delivery-policy.ts";
import { refusedAs } from "./world.ts";

const FUNCTIONS: readonly BackoffFunction[] = ["linear", "arithmetic", "geometric", "exponential"];
const policy = (more: Partial<typeof DEFAULT_HEALTHY_RETRY_POLICY>) => ({ ...DEFAULT_HEALTHY_RETRY_POLICY, ...more });

describe("a delivery policy", () => {
  it("tries three times more, 20 s apart, when nothing is said", () => {
    assert.deepEqual(waitsOf(DEFAULT_HEALTHY_RETRY_POLICY), [20_000, 20_000, 20_000]);
    assert.equal(httpRetry(DEFAULT_HEALTHY_RETRY_POLICY).retriesMax, 3);
  });

  it("has the four phases of the example in AWS's guide: 3 at once, 2 after 1 s, 10 growing to 60 s, 35 after 60 s", () => {
    const example = policy({
      minDelayTarget: 1,
      maxDelayTarget: 60,
      numRetries: 50,
      numNoDelayRetries: 3,
      numMinDelayRetries: 2,
      numMaxDelayRetries: 35,
      backoffFunction: "exponential",
    });
    checkHealthyRetryPolicy(example);
    const waits = waitsOf(example);
    assert.equal(waits.length, 50);
    assert.deepEqual(waits.slice(0, 5), [0, 0, 0, 1_000, 1_000]);
    const growing = waits.slice(5, 15);
    assert.equal(growing[0], 1_000);
    assert.equal(growing[9], 60_000);
    assert.deepEqual(
      growing,
      growing.toSorted((left, right) => left - right),
    );
    assert.deepEqual(new Set(waits.slice(15)), new Set([60_000]));
  });

  it("tries functions and queues 100,015 times over 23 days, as AWS says of its own endpoints", () => {
    const { waitsMs, retriesMax, ageMsMax } = MANAGED_RETRY;
    assert.deepEqual(waitsMs.slice(0, 5), [0, 0, 0, 1_000, 1_000]);
    assert.equal(waitsMs.length, 16);
    assert.deepEqual([waitsMs[5], waitsMs[14], waitsMs[15]], [1_000, 20_000, 20_000]);
    assert.equal(retriesMax, 100_015);
    const days = (waitsMs.slice(0, 15).reduce((sum, wait) => sum + wait, 0) + 100_000 * 20_000) / 86_400_000;
    assert.ok(days > 23 && days < 24 && ageMsMax > days * 86_400_000, String(days));
  });

  it("grows from the smallest to the largest wait by each function, and by the later ones more slowly at first", () => {
    for (const by of FUNCTIONS) {
      const waits = grown(by, 1_000, 20_000, 10);
      assert.equal(waits[0], 1_000, by);
      assert.equal(waits[9], 20_000, by);
      assert.ok(
        waits.every((wait, at) => at === 0 || wait > (waits[at - 1] ?? 0)),
        `${by}: ${waits.join()}`,
      );
      assert.deepEqual(grown(by, 5_000, 5_000, 3), [5_000, 5_000, 5_000], by);
      assert.deepEqual(grown(by, 1_000, 9_000, 1), [9_000], by);
      assert.deepEqual(grown(by, 1_000, 9_000, 0), [], by);
    }
    const middles = FUNCTIONS.map((by) => grown(by, 1_000, 20_000, 10)[4] ?? 0);
    assert.deepEqual(
      middles,
      middles.toSorted((left, right) => right - left),
    );
    assert.deepEqual(grown("linear", 10_000, 40_000, 4), [10_000, 20_000, 30_000, 40_000]);
    assert.deepEqual(grown("arithmetic", 0, 60_000, 4), [0, 10_000, 30_000, 60_000]);
    assert.deepEqual(grown("geometric", 1_000, 8_000, 4), [1_000, 2_000, 4_000, 8_000]);
    assert.deepEqual(grown("exponential", 0, 70_000, 4), [0, 10_000, 30_000, 70_000]);
  });

  it("is refused with the rule that it breaks", () => {
    const bad = (more: Partial<typeof DEFAULT_HEALTHY_RETRY_POLICY>, rule: RegExp): void =>
      assert.throws(() => checkHealthyRetryPolicy(policy(more)), refusedAs("InvalidParameter", rule));
    bad({ minDelayTarget: 0 }, /minDelayTarget must be an integer from 1 to 3600/);
    bad({ maxDelayTarget: 3_601 }, /maxDelayTarget/);
    bad({ minDelayTarget: 30 }, /minDelayTarget must be less than or equal to maxDelayTarget/);
    bad({ numRetries: 101 }, /numRetries must be an integer from 0 to 100/);
    bad({ numRetries: 1.5 }, /numRetries/);
    bad({ numNoDelayRetries: -1 }, /numNoDelayRetries/);
    bad({ numMinDelayRetries: 2, numMaxDelayRetries: 2 }, /numRetries must be at least the sum/);
    bad({ minDelayTarget: 100, maxDelayTarget: 100, numRetries: 37 }, /the retries take 3700 seconds; at most 3600 are allowed/);
    checkHealthyRetryPolicy(policy({ minDelayTarget: 100, maxDelayTarget: 100, numRetries: 36 }));
    checkHealthyRetryPolicy(policy({ numRetries: 0 }));
  });

  it("of a subscription counts before the topic's, unless the topic forbids it", () => {
    const topic = { healthyRetryPolicy: policy({ numRetries: 5 }), contentType: "text/xml", disableSubscriptionOverrides: false };
    const own = { healthyRetryPolicy: policy({ numRetries: 7 }) };
    assert.equal(effectivePolicy(topic, own).healthyRetryPolicy.numRetries, 7);
    assert.equal(effectivePolicy(topic, own).contentType, "text/xml");
    assert.equal(effectivePolicy(topic, undefined).healthyRetryPolicy.numRetries, 5);
    assert.equal(effectivePolicy({ ...topic, disableSubscriptionOverrides: true }, own).healthyRetryPolicy.numRetries, 5);
    assert.equal(effectivePolicy(undefined, undefined).healthyRetryPolicy.numRetries, 3);
  });
});
