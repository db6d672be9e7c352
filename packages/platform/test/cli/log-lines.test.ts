/** Lines a function logged, as data and on a terminal. */
import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { entryJson, followedJson, parseFollowed, storedEntry } from "../../src/cli/log-lines.ts";
import { openOutput } from "../../src/cli/output.ts";
import { logStreamName } from "../../src/model/index.ts";

const instance = "01890a5d-ac96-774b-bcce-b302099a8057";
const requestId = "8f5f6a3e-1c9b-4b7e-9a52-0c6ad5c5a0f1";
const at = 1_700_000_000_000;

void test("a line is the same data whether it was stored or followed", () => {
  const texts = [
    `START RequestId: ${requestId} Version: $LATEST`,
    `2026-01-31T10:00:00.000Z\t${requestId}\tINFO\tworking`,
    `[INFO]\t2026-01-31T10:00:00.000Z\t${requestId}\tworking`,
    `{"timestamp":"2026-01-31T10:00:00.000Z","level":"INFO","requestId":"${requestId}","message":"working"}`,
  ];
  for (const text of texts) {
    const stored = storedEntry({ timestamp: at, message: `${text}\n`, logStreamName: logStreamName("$LATEST", instance) });
    const followed = parseFollowed(JSON.stringify({ at, instance, version: "$LATEST", requestId, text }));
    assert.ok(followed);
    assert.deepEqual(JSON.parse(entryJson(stored)), { at, version: "$LATEST", instance, requestId, text });
    assert.equal(followedJson(followed), entryJson(stored));
  }
  const bare = storedEntry({ timestamp: at, message: "said by the function", logStreamName: "a person's own" });
  assert.deepEqual(JSON.parse(entryJson(bare)), { at, text: "said by the function" });
});

void test("on a terminal control characters are spelled out, elsewhere they stay", () => {
  const shown = (terminal: boolean, text: string): string =>
    openOutput({ json: false, terminal, out: new PassThrough(), err: new PassThrough() }).foreign(text);
  const hostile = "\u001b]0;owned\u0007\u009b2J\rover\u007f\ta\nb é";
  assert.equal(shown(true, hostile), "\\x1b]0;owned\\x07\\x9b2J\\x0dover\\x7f\ta\nb é");
  assert.equal(shown(false, hostile), hostile);
});
