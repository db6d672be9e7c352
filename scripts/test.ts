/**
 * `npm test`: runs every test file, two at a time, each in a process of its own.
 *
 * A run fails when a test failed, and also when one was skipped or left to do, or when none ran at all: a green run
 * means that everything was shown. Arguments are paths or globs of test files to run instead of all.
 */
import { globSync } from "node:fs";
import { delimiter, join } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";

/** Test files running at once; the machines this is meant for have two cores. */
const FILES_AT_ONCE_MAX = 2;
/** Longest time one test may take before it counts as hanging. */
const TEST_MS_MAX = 120_000;
/** What is measured shares the machine with nothing else. */
const MEASURING_TESTS = ["test/budgets.test.ts"];
const ALL_TESTS = ["packages/*/test/**/*.test.ts", "test/**/*.test.ts", "examples/**/*.test.ts"];

const root = join(import.meta.dirname, "..");
// Tests start `node`, `python3` and `aws` by name and get those that set-up pinned or made.
const tools = [join(root, "node_modules", ".bin"), join(root, "node_modules", ".cache", "lambent-test-python", "bin")];
process.env["PATH"] = [...tools, process.env["PATH"]].join(delimiter);

const asked = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const complaints: string[] = [];
let ran = 0;

/** Runs the files of `patterns`, except those of `left`, and resolves when all have ended. */
function runFiles(patterns: readonly string[], left: readonly string[], filesAtOnce: number): Promise<void> {
  const files = globSync([...patterns], { cwd: root, exclude: [...left, "**/node_modules/**"] }).toSorted();
  if (files.length === 0) return Promise.resolve();
  const results = run({
    cwd: root,
    files: files.map((file) => join(root, file)),
    concurrency: filesAtOnce,
    timeout: TEST_MS_MAX,
    execArgv: ["--disable-warning=ExperimentalWarning"],
  });
  results.on("test:pass", ({ name, skip, todo, details }) => {
    if (details.type === "suite") return;
    ran += 1;
    if (skip !== undefined) complaints.push(`skipped: ${name}`);
    if (todo !== undefined) complaints.push(`left to do: ${name}`);
  });
  results.on("test:fail", ({ name }) => {
    ran += 1;
    complaints.push(`failed: ${name}`);
  });
  results.compose(spec()).pipe(process.stdout, { end: false });
  return new Promise((resolve) => results.on("end", resolve));
}

if (asked.length > 0) {
  await runFiles(asked, [], FILES_AT_ONCE_MAX);
} else {
  await runFiles(ALL_TESTS, MEASURING_TESTS, FILES_AT_ONCE_MAX);
  await runFiles(MEASURING_TESTS, [], 1);
}
if (ran === 0) complaints.push(`no test ran (${asked.join(" ") || ALL_TESTS.join(" ")})`);
process.exitCode = complaints.length === 0 ? 0 : 1;
process.on("exit", () => {
  for (const complaint of complaints) process.stderr.write(`npm test: ${complaint}\n`);
});
