import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startLambent } from "../support/lambent-process.ts";

/**
 * The commands of the README, as they stand there, in one shell against a real server, and what they print. The first,
 * `npm start`, is the server of this test; `npx` is a short script, because npm's own takes longer than all the rest.
 */
const root = fileURLToPath(new URL("../../../..", import.meta.url));
const MAIN = join(root, "packages/platform/bin/lambent.mjs");
const README_HOST = "127.0.0.1:4566";
const MARK = "--- ended with";

interface Step {
  readonly command: string;
  /** What the README shows below it. */
  readonly shown: string;
}

const folder = mkdtempSync(join(tmpdir(), "lambent-readme-"));
const lambent = await startLambent("--examples", "--data", join(folder, ".lambent"));
after(async () => {
  await lambent.stop();
  rmSync(folder, { recursive: true });
});
const host = new URL(lambent.url).host;

/** The commands of all blocks marked `console`; a here-document belongs to its command. */
function stepsOf(text: string): Step[] {
  const lines = [...text.matchAll(/^```console\n(.*?)^```$/gmsu)].flatMap(([, block = ""]) => block.trimEnd().split("\n"));
  const steps: { command: string; shown: string[] }[] = [];
  let untilEnd = false;
  for (const line of lines) {
    const last = steps.at(-1);
    if (untilEnd && last) {
      last.command += `\n${line}`;
      untilEnd = line !== "END";
    } else if (line.startsWith("$ ")) {
      steps.push({ command: line.slice(2), shown: [] });
      untilEnd = line.endsWith("<<'END'");
    } else last?.shown.push(line);
  }
  return steps.map(({ command, shown }) => ({ command, shown: shown.join("\n") }));
}

/** What differs from run to run and machine to machine: times, memory used, folders. */
function masked(text: string): string {
  return (
    text
      .replaceAll(join(folder, ".lambent"), ".lambent")
      .replaceAll(README_HOST, host)
      .replaceAll(/^ {2}Kafka {6}127\.0\.0\.1:\d+$/gmu, "  Kafka      <address>")
      // Said only where a port other than the usual one is used, as here.
      .replaceAll(` --endpoint http://${host}`, "")
      .replaceAll(/\d+(\.\d+)? m?s\b/gu, "<time>")
      .replaceAll(/\d+ MB/gu, "<memory>")
      .replaceAll(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/gu, "<id>")
      .replaceAll(/file:\S*\/hello\.mjs/gu, "file:hello.mjs")
      .replaceAll(/functions (confined by bubblewrap|are not confined)/gu, "functions <sandbox>")
      .replaceAll(/^ {2}Missing .*\n/gmu, "")
      .trimEnd()
  );
}

/** Runs the commands in one shell and answers what each printed, on both streams, with its exit code. */
async function runInShell(commands: readonly string[]): Promise<{ readonly printed: string; readonly exit: number }[]> {
  const tools = join(folder, "bin");
  mkdirSync(tools);
  writeFileSync(join(tools, "npx"), `#!/bin/sh\nshift\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
  chmodSync(join(tools, "npx"), 0o755);
  // On a terminal curl shows no progress by itself.
  writeFileSync(join(folder, ".curlrc"), "silent\n");
  symlinkSync(join(root, "examples"), join(folder, "examples"));
  const script = commands.map((command) => `${command.replaceAll(README_HOST, host)}\nprintf '\\n${MARK} %s\\n' $?\n`).join("");
  const environment = {
    ...lambent.environment,
    PATH: [tools, process.env["PATH"]].join(delimiter),
    CURL_HOME: folder,
    AWS_CONFIG_FILE: join(folder, "none"),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, "none"),
  };
  const { stdout } = await promisify(execFile)("bash", ["-c", `exec 2>&1\n${script}`], { cwd: folder, env: environment });
  const parts = stdout.split(new RegExp(`\\n${MARK} (\\d+)\\n`, "u"));
  return commands.map((_, at) => ({ printed: parts[2 * at] ?? "", exit: Number(parts[2 * at + 1]) }));
}

test("every command of the README prints what stands below it", async () => {
  const [start, ...steps] = stepsOf(readFileSync(join(root, "README.md"), "utf8"));
  assert.ok(start);
  assert.equal(start.command, "npm start");
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { readonly scripts: { readonly start: string } };
  assert.match(scripts.start, /packages\/platform\/bin\/lambent\.mjs start --examples$/u, "this test starts what npm start starts");
  assert.equal(masked(lambent.printed()), masked(start.shown));
  const ended = await runInShell(steps.map(({ command }) => command));
  for (const [at, { command, shown }] of steps.entries()) {
    assert.equal(masked(ended[at]?.printed ?? ""), masked(shown), command);
    assert.equal(ended[at]?.exit, shown.includes("has what it logged") ? 7 : 0, command);
  }
  assert.ok(steps.length >= 11, `${steps.length} commands were run`);
});

test("what the banner tells to try are commands of the README", () => {
  const commands = new Set(
    stepsOf(readFileSync(join(root, "README.md"), "utf8")).map(({ command }) => command.replaceAll(README_HOST, host)),
  );
  const tries = [
    ...lambent
      .printed()
      .replaceAll(` --endpoint ${lambent.url}`, "")
      .matchAll(/^(?: {2}Try {4}| {9})(.*)$/gmu),
  ].map(([, line = ""]) => line);
  assert.equal(tries.length, 3);
  for (const line of tries)
    for (const part of line.split(" && "))
      assert.ok(
        [...commands].some((command) => command.startsWith(part)),
        part,
      );
});
