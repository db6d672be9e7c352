import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { startLambent } from "../support/lambent-process.ts";

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
    lines.some((line) => line.startsWith(`  API        ${lambent.url}     credentials: eval "$(npx lambent env)"   region us-east-1`)),
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
  assert.equal((await lambent.run("rollback", "hello")).exit, 0);
  assert.equal((await lambent.run("invoke", "hello")).out, "1\n");
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

test("a taken port names the process that holds it", async () => {
  const { exit, err } = await lambent.run("start", "--memory", "--port", new URL(lambent.url).port);
  assert.equal(exit, 1);
  assert.match(err, new RegExp(`^lambent: Port \\d+ is held by process ${lambent.pid} \\(.+\\)\\.\n  Stop its holder`, "u"));
});

test("SIGTERM drains and ends with 0", async () => {
  stopped = true;
  assert.equal(await lambent.stop(), 0);
});
