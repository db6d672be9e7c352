/** The published package: packed, installed as a user would, and started from plain JavaScript. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { root, textOf } from "../scripts/support/source-tree.ts";

const temporary = mkdtempSync(join(tmpdir(), "lambent-packaging-"));
const installed = join(temporary, "node_modules", "lambent");
const PROGRAM_MS_MAX = 110_000;

/** What it finds at /node_modules, as a module and as CommonJS does, and what the SDK's own client hears of this server. */
const USES_SDKS = `import { STSClient, GetCallerIdentityCommand } from "@aws-sdk/client-sts";
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
const CLIENTS = ["lambda", "iam", "sts", "cloudwatch-logs"];
const found = (name) => { try { require.resolve(name); return true; } catch { return false; } };
export const handler = async () => ({
  clients: CLIENTS.filter((name) => typeof require("@aws-sdk/client-" + name) === "object"),
  others: ["commander", "esbuild", "pino", "yaml", "lambent"].filter(found),
  account: (await new STSClient({}).send(new GetCallerIdentityCommand({}))).Account,
});
`;

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

test("the installed command reads --env-file itself, and Node does not", () => {
  const ended = spawnSync(join(temporary, "node_modules", ".bin", "lambent"), ["config", "set", "hello", "--env-file", "missing.env"], {
    cwd: temporary,
    encoding: "utf8",
    timeout: PROGRAM_MS_MAX,
  });
  assert.equal(ended.status, 2, ended.stderr);
  assert.match(ended.stderr, /^lambent: The environment file missing\.env cannot be read: ENOENT\./u);
});

/** The installed command as a server; ends with the test. */
async function startInstalled(...options: readonly string[]): Promise<{ readonly url: string; readonly server: ChildProcess }> {
  const command = join(temporary, "node_modules", ".bin", "lambent");
  const server = spawn(command, ["start", "--port", "0", "--memory", ...options], {
    cwd: temporary,
    env: { ...process.env, XDG_RUNTIME_DIR: temporary },
    stdio: ["ignore", "pipe", "inherit"],
  });
  for await (const line of createInterface({ input: server.stdout })) {
    const [, url] = /^lambent ready (http:\S+)$/u.exec(line) ?? [];
    if (url !== undefined) return { url, server };
  }
  assert.fail("the installed server ended before it was ready");
}

for (const options of [[], ["--sandbox", "process"]]) {
  test(`its functions find the AWS SDKs, and nothing else of it (start ${options.join(" ")})`, async () => {
    const { url, server } = await startInstalled(...options);
    try {
      const lambent = (...args: string[]): string =>
        execFileSync(join(temporary, "node_modules", ".bin", "lambent"), [...args, "--endpoint", url], {
          encoding: "utf8",
          timeout: PROGRAM_MS_MAX,
          env: { ...process.env, XDG_RUNTIME_DIR: temporary },
          stdio: ["ignore", "pipe", "inherit"],
        });
      const code = join(temporary, "uses-sdks.mjs");
      writeFileSync(code, USES_SDKS);
      lambent("deploy", code, "--no-url", "--memory", "256");
      assert.deepEqual(JSON.parse(lambent("invoke", "uses-sdks")), {
        clients: ["lambda", "iam", "sts", "cloudwatch-logs"],
        others: [],
        account: "000000000000",
      });
    } finally {
      const ended = once(server, "exit");
      server.kill("SIGTERM");
      await ended;
    }
  });
}

test("its windows are those of the SDK that it brings, as JavaScript", () => {
  const module = pathToFileURL(join(installed, "dist/windows/index.js")).href;
  const read = `(await import(${JSON.stringify(module)})).readDeclaration({ source: "a", window: { kind: "rolling", size: 3 }, sinks: [{ stream: "b" }] })`;
  const said = run(process.execPath, "--input-type=module", "--eval", `console.log(JSON.stringify(${read}.window.window))`);
  assert.deepEqual(JSON.parse(said), { kind: "rolling", size: 3 });
  assert.ok(existsSync(join(installed, "node_modules/@lambent/sdk/dist/windows/index.js")));
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
