/** The published package: packed, installed as a user would, and started from plain JavaScript. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { root, textOf } from "../scripts/support/source-tree.ts";

const temporary = mkdtempSync(join(tmpdir(), "lambent-packaging-"));
const installed = join(temporary, "node_modules", "lambent");
const PROGRAM_MS_MAX = 110_000;

const run = (program: string, ...args: string[]): string =>
  execFileSync(program, args, { cwd: temporary, encoding: "utf8", timeout: PROGRAM_MS_MAX, stdio: ["ignore", "pipe", "pipe"] }).trim();

before(() => {
  const archive = run(process.execPath, join(root, "scripts/pack.ts"), temporary).split("\n").at(-1) ?? "";
  writeFileSync(join(temporary, "package.json"), '{ "private": true }\n');
  run("npm", "install", "--prefer-offline", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error", archive);
});
after(() => rmSync(temporary, { recursive: true, force: true }));

test("the installed command tells its version", () => {
  const { version } = JSON.parse(textOf("packages/platform/package.json")) as { version: string };
  assert.equal(run(join(temporary, "node_modules", ".bin", "lambent"), "--version"), version);
});

test("the package holds JavaScript and no TypeScript, tests or data of ours", () => {
  const files = globSync("**/*", { cwd: installed, exclude: ["node_modules"] });
  assert.ok(files.includes("LICENSE") && files.includes("NOTICE") && files.includes("README.md"));
  assert.deepEqual(
    files.filter((file) => /\.ts$|\.test\.|(^|\/)(test|fixtures|__pycache__)(\/|$)/u.test(file)),
    [],
  );
});

test("no built module names a TypeScript file that became JavaScript", () => {
  const left: string[] = [];
  for (const file of globSync("dist/**/*.js", { cwd: installed })) {
    for (const [, path = ""] of readFileSync(join(installed, file), "utf8").matchAll(/["'`](\.{1,2}\/[^"'`\s]*)\.ts["'`]/gu)) {
      if (existsSync(join(installed, file, "..", `${path}.js`))) left.push(`${file} names ${path}.ts`);
    }
  }
  assert.deepEqual(left, [], "the build turns imports and `new URL(…, import.meta.url)`; write it in one of these ways");
});

test("publint finds nothing to say about it", async () => {
  const { messages, pkg } = await publint({ pkgDir: installed, strict: true });
  assert.deepEqual(
    messages.map((message) => formatMessage(message, pkg ?? {})),
    [],
  );
});
