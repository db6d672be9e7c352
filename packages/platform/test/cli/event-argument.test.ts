import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { CommandFailure } from "../../src/cli/errors.ts";
import { classifyEventArgument, EVENT_BYTES_MAX, readEvent } from "../../src/cli/event-argument.ts";

const nothing = Readable.from([]);
const refusal =
  (pattern: RegExp) =>
  (error: unknown): boolean =>
    error instanceof CommandFailure && error.exit === "usage" && pattern.test(error.message);

test("every JSON text is taken as JSON", () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom("", " ", "\n"), (text, space) => classifyEventArgument(space + text).kind === "json"),
    { seed: 7, numRuns: 500 },
  );
});

test("names of files are files, also those that begin like a number or a word of JSON", () => {
  for (const name of ["event.json", "./e.json", "1.json", "true.json", "null/x", "-.json", "nulls"]) {
    assert.deepEqual(classifyEventArgument(name), { kind: "file", path: name });
  }
  assert.deepEqual(classifyEventArgument("-"), { kind: "stdin" });
  assert.equal(classifyEventArgument("-1.5e3").kind, "json");
});

test("an event comes from the argument, standard input, a file, or is {}", async () => {
  const folder = mkdtempSync(join(tmpdir(), "lambent-event-"));
  try {
    writeFileSync(join(folder, "event.json"), '{"from":"file"}');
    assert.equal((await readEvent('{"a":1}', nothing)).toString(), '{"a":1}');
    assert.equal((await readEvent("-", Readable.from([Buffer.from('{"a"'), Buffer.from(":2}")]))).toString(), '{"a":2}');
    assert.equal((await readEvent(join(folder, "event.json"), nothing)).toString(), '{"from":"file"}');
    assert.equal((await readEvent(undefined, nothing)).toString(), "{}");
    writeFileSync(join(folder, "marked.json"), '\ufeff{"from":"an editor"}');
    assert.equal((await readEvent(join(folder, "marked.json"), nothing)).toString(), '{"from":"an editor"}');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("what is no JSON, no file or too large is refused before anything is sent", async () => {
  await assert.rejects(readEvent("{broken", nothing), refusal(/The event from --event is not JSON/u));
  await assert.rejects(
    readEvent("-", Readable.from([Buffer.from('{\n  "a": tru\n')])),
    refusal(/^The event from standard input is not JSON: .+\.$/u),
  );
  await assert.rejects(readEvent("missing.json", nothing), refusal(/missing\.json does not exist/u));
  await assert.rejects(
    readEvent("-", Readable.from([Buffer.alloc(EVENT_BYTES_MAX), Buffer.from("1")])),
    refusal(/a call takes at most 6291456/u),
  );
});
