import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, test } from "node:test";
import { pathToFileURL } from "node:url";
import yauzl from "yauzl";
import { CommandFailure } from "../../src/cli/errors.ts";
import { guess, pack } from "../../src/cli/packing/index.ts";
import { ARCHIVE_BYTES_MAX } from "../../src/cli/packing/pack.ts";
import { DEPTH_MAX } from "../../src/cli/packing/walk.ts";
import { functionNameOf } from "../../src/cli/deployment.ts";
import { CODE_ZIP_BYTES_MAX } from "../../src/functions/index.ts";

const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true, force: true })));

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), "lambent-pack-"));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  return folder;
}

const packed = (path: string, more: object = {}) =>
  pack({ path, environment: { XDG_CACHE_HOME: join(dirname(path), "cache") }, note: () => undefined, ...more });

async function entriesOf(zip: Buffer): Promise<Map<string, string>> {
  const file = await yauzl.fromBufferPromise(zip);
  const found = new Map<string, string>();
  for await (const entry of file.eachEntry()) {
    const chunks: Buffer[] = [];
    for await (const chunk of await file.openReadStreamPromise(entry)) chunks.push(Buffer.from(chunk as Uint8Array));
    found.set(entry.fileName, Buffer.concat(chunks).toString("utf8"));
  }
  return found;
}

test("the same files give the same bytes, whenever, wherever and in whatever order they were written", async () => {
  const one = folderWith({ "index.mjs": "export const handler = () => 1;\n", "lib/b.mjs": "b", "lib/a.mjs": "a" });
  const two = folderWith({ "lib/a.mjs": "a", "lib/b.mjs": "b", "index.mjs": "export const handler = () => 1;\n" });
  utimesSync(join(two, "index.mjs"), new Date(2001, 1, 1), new Date(2001, 1, 1));
  const [first, second] = [await packed(one), await packed(two)];
  assert.equal(first.sha256, second.sha256);
  assert.deepEqual([...(await entriesOf(first.zip)).keys()], ["index.mjs", "lib/a.mjs", "lib/b.mjs"]);
  const elsewhere = execFileSync(
    process.execPath,
    [
      "-e",
      `import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, "../../src/cli/packing/index.ts")).href)}).then(async ({ pack }) => console.log((await pack({ path: ${JSON.stringify(one)}, environment: {}, note() {} })).sha256))`,
    ],
    {
      env: { ...process.env, TZ: "Pacific/Auckland" },
      encoding: "utf8",
    },
  );
  assert.equal(elsewhere.trim(), first.sha256, "another time zone changes nothing");
});

test("what is not code stays out: version control, caches, secrets, tests, the document itself", async () => {
  const folder = folderWith({
    "index.js": "exports.handler = async () => 1;",
    ".git/config": "x",
    ".env": "SECRET=1",
    "__pycache__/a.pyc": "x",
    "index.test.js": "x",
    "test/a.js": "x",
    "lambent.yaml": "functions: {}",
    "data/kept.json": "{}",
  });
  assert.deepEqual([...(await entriesOf((await packed(folder)).zip)).keys()], ["data/kept.json", "index.js"]);
});

test("a link is packed as what it leads to, and a link to its own parent ends there", async () => {
  const folder = folderWith({ "index.js": "exports.handler = async () => 1;", "real/file.txt": "text" });
  symlinkSync(join(folder, "real"), join(folder, "linked"));
  symlinkSync(folder, join(folder, "real", "up"));
  const entries = await entriesOf((await packed(folder)).zip);
  assert.equal(entries.get("linked/file.txt"), "text");
  assert.ok(entries.size < 10);
});

test("TypeScript is bundled with enums, path aliases and dependencies, and keeps its handler's name", async () => {
  const folder = folderWith({
    "src/index.ts": `import { greet } from "@lib/greet"; import { upper } from "shout"; enum Tone { Calm = 1 } export const handler = async () => upper(greet(Tone.Calm));`,
    "src/lib/greet.ts": "export const greet = (tone: number): string => `hello ${tone}`;",
    "tsconfig.json": `{ "compilerOptions": { "baseUrl": ".", "paths": { "@lib/*": ["src/lib/*"] } } }`,
    "package.json": `{ "type": "module" }`,
    "node_modules/shout/package.json": `{ "name": "shout", "main": "index.js" }`,
    "node_modules/shout/index.js": `const os = require("node:os"); exports.upper = (text) => text.toUpperCase() + os.EOL;`,
  });
  const result = await packed(folder);
  assert.equal(result.handler, "src/index.handler");
  const entries = await entriesOf(result.zip);
  assert.deepEqual([...entries.keys()], ["src/index.mjs", "src/index.mjs.map"]);
  const out = folderWith(Object.fromEntries(entries));
  const { handler } = (await import(pathToFileURL(join(out, "src/index.mjs")).href)) as { handler(): Promise<string> };
  assert.equal((await handler()).trim(), "HELLO 1");
});

test("code that does not compile is refused with file and line", async () => {
  const folder = folderWith({ "index.ts": `export const handler = async () => {\n  return 1 +;\n};` });
  await assert.rejects(
    packed(folder),
    (error) => error instanceof CommandFailure && /index\.ts could not be bundled: index\.ts:2 /u.test(error.message),
  );
});

test("a folder without code says so, and one that is too large says how large before anything is sent", async () => {
  await assert.rejects(packed(folderWith({ "notes.txt": "none" })), /There is no code in it: no file with \.mjs, .*\.py at its top/u);
  assert.equal(ARCHIVE_BYTES_MAX, CODE_ZIP_BYTES_MAX);
  const folder = folderWith({ "index.mjs": "export const handler = () => 1;\n" });
  writeFileSync(join(folder, "build.zip"), Buffer.alloc(ARCHIVE_BYTES_MAX + 1));
  await assert.rejects(
    packed(join(folder, "build.zip"), { runtime: "nodejs22.x", handler: "index.handler" }),
    /build\.zip makes a package of 50\.0 MB; 50\.0 MB is the most by direct upload/u,
  );
});

test("runtime and handler are guessed from what a file exports, and what is given wins", () => {
  const one = (name: string, text: string, given = {}) => guess({ names: [name], read: () => text }, given);
  assert.deepEqual(one("hello.mjs", "export const handler = async () => 1"), {
    runtime: "nodejs22.x",
    handler: "hello.handler",
    entry: "hello.mjs",
    style: "lambda",
  });
  assert.equal(one("a.js", "module.exports = { handler: 1 }").handler, "a.handler");
  assert.equal(one("a.js", "exports.handler = 1").handler, "a.handler");
  assert.equal(one("a.mjs", "function handler() {}\nexport { handler }").handler, "a.handler");
  assert.equal(one("a.mjs", "export default () => 1").handler, "a.default");
  assert.deepEqual(one("web.mjs", "export function httpHandler(req, res) {}"), {
    runtime: "nodejs22.x",
    handler: "web.httpHandler",
    entry: "web.mjs",
    style: "web",
  });
  assert.deepEqual(one("app.py", "def lambda_handler(event, context):\n  pass"), {
    runtime: "python3.12",
    handler: "app.lambda_handler",
    entry: "app.py",
    style: "lambda",
  });
  assert.equal(one("a.mjs", "export const other = 1", { handler: "a.other", runtime: "nodejs24.x" }).runtime, "nodejs24.x");
  assert.equal(one("bootstrap", "#!/bin/sh").runtime, "provided.al2023");
  assert.throws(() => one("a.mjs", "export const other = 1"), /a\.mjs exports none of handler, httpHandler, default/u);
  assert.throws(() => guess({ names: ["x.mjs", "y.mjs"], read: () => "" }, {}), /several files could be it: x\.mjs, y\.mjs/u);
});

test("a file that no handler can name is refused before anything is sent, and says how to rename it", () => {
  const one = (name: string, given = {}) => guess({ names: [name], read: () => "export const handler = 1" }, given);
  const refused = (name: string, better: string) => (error: unknown) =>
    error instanceof CommandFailure &&
    error.message.includes(JSON.stringify(name)) &&
    error.next === `Rename the file, for example to ${better}`;
  assert.throws(() => one("a.b.js"), refused("a.b.js", "a-b.js"));
  assert.throws(() => one("my func.js"), refused("my func.js", "my-func.js"));
  assert.equal(one("über.js").handler, "über.handler");
});

test("a handler that is given is read as its runtime reads it", () => {
  const entry = (handler: string, ...names: readonly string[]) => guess({ names, read: () => "" }, { handler }).entry;
  assert.equal(entry("src/index.routes.list", "src/index.mjs"), "src/index.mjs");
  assert.equal(entry("shop.orders.handler", "shop/orders.py"), "shop/orders.py");
  assert.throws(() => entry("a.b.handler", "a.b.js"), CommandFailure);
});

test("a name loses marks and no letters", () => {
  assert.equal(functionNameOf("my func.v2"), "my-func-v2");
  for (const name of ["über", "u\u0308ber", "функция", "…"]) assert.throws(() => functionNameOf(name), /No name can be made of/u);
});

test("a folder deeper than the bound is refused, not left out", async () => {
  const deep = Array.from({ length: DEPTH_MAX + 1 }, () => "d").join("/");
  const folder = folderWith({ "index.mjs": "export const handler = () => 1;", [`${deep}/lost.mjs`]: "" });
  await assert.rejects(packed(folder), /is too deep for a function: over 64 folders/u);
});

test("dependencies with another tool's lock file and no node_modules name the command to run", async () => {
  const folder = folderWith({ "index.js": "exports.handler = 1", "package.json": `{"dependencies":{"a":"1"}}`, "pnpm-lock.yaml": "" });
  await assert.rejects(packed(folder), (error) => error instanceof CommandFailure && error.next.includes("pnpm install --prod"));
});
