import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../../src/base/index.ts";
import { openPlatformLog } from "../../src/telemetry/index.ts";

function lines(forTerminal: boolean): { readonly written: string[]; readonly log: ReturnType<typeof openPlatformLog> } {
  const written: string[] = [];
  return { written, log: openPlatformLog({ clock: new ManualClock(), level: "info", forTerminal, write: (line) => written.push(line) }) };
}

void test("off a terminal the platform's log is one JSON object a line, with the clock's time", () => {
  const { written, log } = lines(false);
  log.debug("not shown");
  log.info({ requestId: "r-1" }, "started");
  assert.equal(written.length, 1);
  assert.deepEqual(JSON.parse(written[0] ?? ""), { level: 30, time: "2023-11-14T22:13:20.000Z", requestId: "r-1", msg: "started" });
});

void test("on a terminal it is a line for people, with an error's stack below", () => {
  const { written, log } = lines(true);
  log.warn({ port: 4566, host: "localhost" }, "slow");
  log.error({ err: new RangeError("bad") }, "failed");
  assert.equal(written[0], "22:13:20 warn  slow  port=4566  host=localhost\n");
  assert.match(written[1] ?? "", /^22:13:20 error failed\nRangeError: bad\n {4}at /);
});
