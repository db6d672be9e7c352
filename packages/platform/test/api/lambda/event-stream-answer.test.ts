import assert from "node:assert/strict";
import { test } from "node:test";
import { EventStreamAnswer, STREAM_BUFFER_BYTES_MAX } from "../../../src/api/lambda/event-stream-answer.ts";

const CHUNK = Buffer.alloc(STREAM_BUFFER_BYTES_MAX);

test("a function that was paused goes on when its taker leaves, and nothing more is held for it", async () => {
  const answer = new EventStreamAnswer();
  answer.begin({ contentType: "text/plain", http: undefined });
  assert.equal(answer.write(CHUNK), false);
  const drained = answer.drained();
  answer.leave();
  await drained;
  assert.equal(answer.write(CHUNK), true);
  await answer.drained();
});

test("P7: a function is paused while its taker is slow, and goes on once there is room", async () => {
  const answer = new EventStreamAnswer();
  answer.begin({ contentType: "text/plain", http: undefined });
  const events = answer.events();
  assert.equal(answer.write(CHUNK), false);
  const drained = answer.drained();
  assert.deepEqual((await events.next()).value, { PayloadChunk: { Payload: CHUNK } });
  await drained;
});
