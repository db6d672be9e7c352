import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ERROR_CATALOGUE, type ErrorCode, LambentError } from "../../src/base/index.ts";
import { refusalOf } from "../../src/delivery/handing.ts";

const answerTo = (code: ErrorCode): string => {
  const answer = refusalOf(new LambentError(code, "why"));
  assert.ok(answer.kind === "later" || answer.kind === "never");
  assert.equal(answer.refusal.message, "why");
  return `${answer.kind} ${answer.refusal.code}`;
};

describe("what a target threw", () => {
  test("is tried again when the same can succeed later, and never where it cannot", () => {
    assert.deepEqual(
      (["NotFound", "AccessDenied", "EgressRefused", "MalformedRequest", "InvalidParameter", "NotImplemented"] as const).map(answerTo),
      ["never RESOURCE_NOT_FOUND", "never NO_PERMISSIONS", "never EGRESS_REFUSED", ...Array(3).fill("never SDK_CLIENT_ERROR")],
    );
    assert.deepEqual((["Throttled", "StorageBusy", "FunctionNotReady", "PurgeInProgress"] as const).map(answerTo), [
      "later THROTTLING",
      "later THROTTLING",
      "later NOT_READY",
      "later NOT_READY",
    ]);
  });

  test("is a refusal whatever the catalogue has, but for what says nothing of the target: that goes on", () => {
    const others: readonly ErrorCode[] = ["ShuttingDown", "StorageStopped", "StorageCorrupt", "InternalError"];
    for (const [code, { retryable }] of Object.entries(ERROR_CATALOGUE) as [ErrorCode, { readonly retryable: boolean }][])
      if (others.includes(code)) assert.throws(() => refusalOf(new LambentError(code, "why")), { code });
      else assert.match(answerTo(code), retryable ? /^later / : /^never /, code);
    assert.throws(() => refusalOf(new TypeError("a defect")), TypeError);
  });
});
