import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { startLambent, startLambentInTerminal } from "../support/lambent-process.ts";

/** The first minutes of a newcomer, with the real command and a real server. */
const folder = mkdtempSync(join(tmpdir(), "lambent-tour-"));
const lambent = await startLambent();
let stopped = false;
after(async () => {
  if (!stopped) await lambent.stop();
  rmSync(folder, { recursive: true });
});
const hello = join(folder, "hello.mjs");
const write = (body: string): void => writeFileSync(hello, `export const handler = async (event) => {\n  ${body}\n};\n`);

test("the banner ends with the ready line and names only what is on", () => {
  const lines = lambent.printed().trimEnd().split("\n");
  assert.equal(lines.at(-1), `lambent ready ${lambent.url}`);
  assert.match(lines[0] ?? "", /^  Lambent \d+\.\d+\.\d+   store in memory/u);
  assert.ok(
    lines.some((line) =>
      line.startsWith(
        `  API        ${lambent.url}     credentials: eval "$(npx lambent env --endpoint ${lambent.url})"   region us-east-1`,
      ),
    ),
  );
});

test("a file is deployed with guesses shown, called, and has a public address", async () => {
  write('return { hello: event.name ?? event.queryStringParameters?.name ?? "world" };');
  const deployed = await lambent.run("deploy", hello);
  assert.equal(deployed.exit, 0, deployed.err);
  const [first = "", second = ""] = deployed.out.split("\n");
  assert.match(first, /^  hello   Node · handler hello\.handler \(guessed\) · 128 MB · 3 s        deployed in [\d.]+ m?s$/u);
  assert.equal(second, `          ${lambent.url}/function-url/hello/     public (--no-url for none)`);
  const called = await lambent.run("invoke", "hello", "--event", '{"name":"Ada"}');
  assert.equal(called.out, '{"hello":"Ada"}\n');
  assert.match(called.err, /^  [\d.]+ ms \+ [\d.]+ m?s cold start · billed \d+ ms · \d+ MB\n$/u);
  const answer = await fetch(`${lambent.url}/function-url/hello/?name=you`);
  assert.deepEqual(await answer.json(), { hello: "you" });
});

test("deploying the same again changes nothing, and a setting alone sends no code", async () => {
  assert.match((await lambent.run("deploy", hello)).out, /nothing to change/u);
  const planned = await lambent.run("deploy", hello, "--memory", "256", "--plan");
  assert.match(planned.out, /hello   its settings would change\n +memoryMb: 128 → 256/u);
  const answer = JSON.parse((await lambent.run("deploy", hello, "--memory", "256", "--json")).out) as {
    readonly Changes: readonly { readonly Kind: string }[];
  };
  assert.deepEqual(
    answer.Changes.map(({ Kind }) => Kind),
    ["updateSettings"],
  );
});

test("a thrown error shows type, message and the author's own lines; the log has it", async () => {
  write('console.log("working on", event);\n  throw new TypeError("no name");');
  await lambent.run("deploy", hello);
  const failed = await lambent.run("invoke", "hello");
  assert.equal(failed.exit, 7);
  assert.match(failed.err, /^  TypeError: no name\n    at handler \(file:.*hello\.mjs:3:9\)\n  [\d.]+ ms/u);
  const logged = await lambent.run("logs", "hello");
  assert.match(logged.out, /INFO\tworking on \{\}/u);
});

test("a published version can be gone back to", async () => {
  write("return 1;");
  await lambent.run("deploy", hello);
  await lambent.run("versions", "hello", "--publish");
  write("return 2;");
  await lambent.run("deploy", hello);
  assert.equal((await lambent.run("invoke", "hello")).out, "2\n");
  const back = await lambent.run("rollback", "hello");
  assert.equal(back.exit, 0);
  assert.match(back.out, /^ {2}hello {3}is as version 1 was \(sha256 \S{12}\)\n$/u);
  assert.match(back.err, /^ {2}What was deployed before \(sha256 \S{12}\) is in no version and is not here any more\. /u);
  assert.equal((await lambent.run("invoke", "hello")).out, "1\n");
});

test("what is not there is looked for where it could be", async () => {
  const version = await lambent.run("invoke", "hello:99");
  assert.equal(version.exit, 5);
  assert.match(version.err, /\n {2}`npx lambent versions hello` shows its versions/u);
});

test("an application removes what its document no longer names, and nothing else", async () => {
  const document = (names: readonly string[]): void =>
    writeFileSync(
      join(folder, "lambent.yaml"),
      `app: tour\nfunctions:\n${names.map((name) => `  ${name}:\n    code: hello.mjs\n    url: false\n`).join("")}`,
    );
  document(["one", "two"]);
  await lambent.run("deploy", folder);
  document(["two"]);
  assert.match((await lambent.run("deploy", folder)).out, /one   removed/u);
  const names = (JSON.parse((await lambent.run("list", "--json")).out) as readonly { readonly FunctionName: string }[]).map(
    (each) => each.FunctionName,
  );
  assert.deepEqual(names, ["hello", "two"]);
});

test("a taken port names the process that holds it, and how a Lambent is ended", async () => {
  const { exit, err } = await lambent.run("start", "--memory", "--port", new URL(lambent.url).port);
  assert.equal(exit, 1);
  assert.equal(
    err.replaceAll(/\d+/gu, "N"),
    `lambent: Port ${new URL(lambent.url).port} is held by process ${lambent.pid}, a Lambent with all in memory.\n  \`npx lambent stop --endpoint ${lambent.url}\` ends it; --port 0 picks a free one for a second.\n`.replaceAll(
      /\d+/gu,
      "N",
    ),
  );
  assert.match(err, new RegExp(`process ${lambent.pid},`, "u"));
  const stranger = createServer().listen(0, "127.0.0.1");
  await once(stranger, "listening");
  const { port } = stranger.address() as AddressInfo;
  const taken = await lambent.run("start", "--memory", "--port", String(port));
  stranger.close();
  assert.match(
    taken.err,
    new RegExp(`^lambent: Port ${port} is held by process ${process.pid} \\(node .*\\)\\.\n  Stop its holder, or `, "u"),
  );
});

test("an asynchronous call is accepted, and what becomes of it is shown until it has ended", async () => {
  const { exit, err, out } = await lambent.run("invoke", "hello", "--async");
  const id = /^  accepted as ([0-9a-f-]{36})\n$/u.exec(out)?.[1] ?? "";
  assert.equal(exit, 0);
  assert.equal(err, `  \`npx lambent events ${id} -f\` shows what becomes of it, \`npx lambent logs hello\` what it logged.\n`);
  const followed = await lambent.run("events", id, "-f");
  assert.match(followed.out.trimEnd().split("\n").at(-1) ?? "", new RegExp(`^.{19}  ${id}  invoke  hello  1  handled$`, "u"));
  const [head, ...rows] = (await lambent.run("events")).out.trimEnd().split("\n");
  assert.match(head ?? "", /^WHEN +EVENT +SOURCE +TARGET +ATTEMPTS +OUTCOME$/u);
  assert.equal(rows.length, 1);
  assert.match((await lambent.run("events", id)).out, /\n  outcome    handled\n  attempt 1  .{19}  handled in [\d.]+ ms\n$/u);
  const cancelled = await lambent.run("cancel", id);
  assert.deepEqual([cancelled.exit, cancelled.out], [2, ""]);
  assert.match(cancelled.err, /has ended; only one that waits can be cancelled\.\n/u);
});

test("Ctrl-C in a terminal, as npm passes it on twice, lets a running call finish and ends with 0", async () => {
  const other = await startLambentInTerminal();
  write("await new Promise((resolve) => setTimeout(resolve, 400)); return 'done';");
  await other.run("deploy", hello, "--name", "slow");
  const followed = other.begin("logs", "slow", "-f");
  const call = other.run("invoke", "slow");
  await followed.said(/START RequestId/u);
  const exit = await other.interrupt();
  assert.equal((await call).out, '"done"\n');
  assert.equal(exit, 0, other.printed());
  assert.ok(other.printed().endsWith("\n  draining …\n"), other.printed());
  await followed.ended;
});

test("SIGTERM drains and ends with 0", async () => {
  stopped = true;
  assert.equal(await lambent.stop(), 0);
});
