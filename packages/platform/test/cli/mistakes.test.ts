/** Ordinary mistakes of a person end in two lines, never in a stack. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { test } from "node:test";
import { confirm } from "../../src/cli/ask.ts";
import { CommandFailure, describeFailure, EXIT_CODES } from "../../src/cli/errors.ts";
import { runLambent } from "../support/lambent-process.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

/** A terminal at which somebody types `keys`. */
async function answering(keys: string): Promise<{ readonly exit: string; readonly shown: string }> {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const output = new PassThrough();
  let shown = "";
  output.setEncoding("utf8").on("data", (text: string) => (shown += text));
  const asked = confirm("Delete hello?", false, { input, output });
  input.write(keys);
  const exit = await asked.then(
    () => "done",
    (error: unknown) => (error instanceof CommandFailure ? error.exit : String(error)),
  );
  return { exit, shown };
}

void test("Ctrl-C, Ctrl-D and no at a question are 130 and change nothing; y goes on", async () => {
  for (const keys of ["\u0003", "\u0004", "n\r", "\r"]) {
    const { exit, shown } = await answering(keys);
    assert.equal(exit, "interrupted", JSON.stringify(keys));
    assert.match(shown, /Delete hello\? \[y\/N\]/u);
  }
  for (const keys of ["y\r", "Yes\r"]) assert.equal((await answering(keys)).exit, "done");
});

void test("what the system refuses is one line with the path, and no defect of ours", () => {
  const refused = (code: string): CommandFailure =>
    describeFailure(Object.assign(new Error(code), { code, syscall: "open", path: "/etc/shadow" }));
  for (const [code, pattern] of [
    ["EACCES", /^\/etc\/shadow may not be read or written by this user\.$/u],
    ["ENOSPC", /^\/etc\/shadow cannot be written: the disk is full\.$/u],
    ["EUNKNOWN", /^\/etc\/shadow cannot be used: EUNKNOWN\.$/u],
  ] as const) {
    assert.match(refused(code).message, pattern);
    assert.equal(refused(code).exit, "failed");
  }
  assert.match(describeFailure(new TypeError("ours")).next, /defect/u);
});

void test("files and folders that cannot be read or written end in two lines", async (t) => {
  const folder = temporaryFolder(t);
  const environment = { PATH: process.env["PATH"], HOME: folder, AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" };
  mkdirSync(join(folder, "app"));
  symlinkSync("circle.mjs", join(folder, "circle.mjs"));
  symlinkSync("index.mjs", join(folder, "app", "index.mjs"));
  writeFileSync(join(folder, "file"), "");
  const cases: (readonly string[])[] = [
    ["deploy", join(folder, "circle.mjs")],
    ["deploy", join(folder, "app")],
    ["deploy", join(folder, "file", "below")],
    ["init", join(folder, "file", "below")],
    ["init", "/proc/lambent-test/deep"],
  ];
  // Root reads and writes what nobody may.
  if (process.getuid?.() !== 0) {
    mkdirSync(join(folder, "closed"));
    chmodSync(join(folder, "closed"), 0o000);
    cases.push(["deploy", join(folder, "closed")], ["init", join(folder, "closed")]);
  }
  const endings = await Promise.all(cases.map((args) => runLambent(args, environment)));
  for (const [at, { exit, err, out }] of endings.entries()) {
    const what = (cases[at] ?? []).join(" ");
    assert.ok(exit === EXIT_CODES.failed || exit === EXIT_CODES.usage, `${what}: ${exit} ${err}`);
    assert.equal(out, "");
    assert.match(err, /^lambent: .*\n  \S.*\n$/u, what);
    assert.doesNotMatch(err, /defect/u);
  }
});
