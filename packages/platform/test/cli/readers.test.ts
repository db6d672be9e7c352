/** What becomes of a command whose reader leaves; through real pipes of a shell. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { EXIT_CODES } from "../../src/cli/errors.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
/** More than a pipe holds. */
const FUNCTIONS = 3_000;
const LINES = 20_000;

const listed = JSON.stringify({
  Functions: Array.from({ length: FUNCTIONS }, (_, at) => ({ FunctionName: `function-number-${at}`, Runtime: "nodejs22.x" })),
});
const stored = JSON.stringify({
  events: Array.from({ length: LINES }, (_, at) => ({ timestamp: at, message: `line ${at} of many`, logStreamName: "one" })),
});

/** Lines without end, as fast as they are taken. */
function endless(response: ServerResponse): void {
  const line = `${JSON.stringify({ at: 1, instance: "i", version: "1", text: "one of many" })}\n`;
  const more = (): void => {
    while (!response.destroyed && response.write(line.repeat(100)));
  };
  response.on("drain", more);
  response.write('{"following":"f"}\n');
  more();
}

const server = createServer((request, response) => {
  request.resume().once("end", () => {
    if (request.url?.includes("/logs")) endless(response);
    else response.end(request.url === "/" ? stored : listed);
  });
});
let endpoint = "";
before(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => {
  server.closeAllConnections();
  server.close();
});

interface ShellEnding {
  readonly out: string;
  readonly err: string;
  readonly exit: number;
}

/** `lambent <args> | <reader>`: what the reader printed, what the command said beside it, and the command's exit code. */
function piped(args: readonly string[], pipe: string): Promise<ShellEnding> {
  const script = `lambent() { "$NODE" "$MAIN" "$@"; }; lambent "$@" ${pipe}; echo "exit \${PIPESTATUS[0]}"`;
  const environment = {
    PATH: process.env["PATH"],
    NODE: process.execPath,
    MAIN,
    LAMBENT_ENDPOINT: endpoint,
    AWS_ACCESS_KEY_ID: "LAMBENTKEY",
    AWS_SECRET_ACCESS_KEY: "secret-of-tests",
    XDG_RUNTIME_DIR: "/nonexistent",
    NO_COLOR: "1",
  };
  return new Promise((resolve, reject) => {
    execFile("bash", ["--norc", "-c", script, "bash", ...args], { env: environment, timeout: 20_000 }, (error, out, err) => {
      if (error) return reject(error);
      const [, printed = "", exit = ""] = /^([^]*)exit (\d+)\n$/u.exec(out) ?? [];
      resolve({ out: printed, err, exit: Number(exit) });
    });
  });
}

for (const [args, first] of [
  [["list"], /^FUNCTION .*\n$/u],
  [["list", "--json"], /^\[\n$/u],
  [["logs", "f", "--limit", "10000"], /^.*line \d+ of many\n$/u],
  [["logs", "f", "-f", "--limit", "1"], /^.* of many\n$/u],
] as const) {
  test(`lambent ${args.join(" ")} | head -n 1 ends without a word`, async () => {
    const { out, err, exit } = await piped(args, "| head -n 1");
    assert.match(out, first);
    assert.equal(err, "");
    assert.equal(exit, EXIT_CODES.readerGone);
  });
}

test("a reader who left before the first line is no error either, nor is one of both streams", async () => {
  for (const pipe of ["| true", "2>&1 | true"]) {
    for (const args of [["list"], ["--help"], ["--version"], ["nonsense"]]) {
      const { err, exit } = await piped(args, pipe);
      assert.doesNotMatch(err, /EPIPE|Error:|    at /u, args.join(" "));
      assert.ok([EXIT_CODES.done, EXIT_CODES.usage, EXIT_CODES.readerGone].includes(exit as 0), `${args.join(" ")} ended with ${exit}`);
    }
  }
});

test("a reader who takes everything changes nothing", async () => {
  const { out, err, exit } = await piped(["list"], "| cat");
  assert.equal(out.trimEnd().split("\n").length, FUNCTIONS + 1);
  assert.deepEqual([err, exit], ["", EXIT_CODES.done]);
});

test("a full disk is said in two lines", async () => {
  const { err, exit } = await piped(["list"], "> /dev/full");
  assert.equal(err, "lambent: standard output cannot be written: ENOSPC.\n  Give it somewhere with room.\n");
  assert.equal(exit, EXIT_CODES.failed);
});
