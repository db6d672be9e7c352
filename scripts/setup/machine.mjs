/** What the set-up steps ask the machine, and how they run a program on it. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Longest time one installing program may take, so that set-up never hangs. */
const PROGRAM_MS_MAX = 15 * 60_000;

/** The first file called `command` that PATH leads to, without starting a shell. */
export function findCommand(/** @type {string} */ command) {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    if (folder !== "" && isExecutable(join(folder, command))) return join(folder, command);
  }
  return undefined;
}

export function isExecutable(/** @type {string} */ file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The parsed JSON file, or undefined when it is missing or broken. */
export function readJson(/** @type {string} */ file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return undefined;
  }
}

/**
 * Runs a program to its end with nothing on its input. Its output is kept back and told only when it fails.
 *
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: Record<string, string> }} [options]
 * @returns {{ ok: true, output: string } | { ok: false, why: string }}
 */
export function runProgram(program, args, { cwd = root, env = {} } = {}) {
  const ended = spawnSync(program, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    encoding: "utf8",
    timeout: PROGRAM_MS_MAX,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (ended.error) return { ok: false, why: ended.error.message };
  if (ended.status === 0) return { ok: true, output: ended.stdout };
  // npm says what went wrong in its first lines, apt and pip in their last.
  const lines = `${ended.stdout}\n${ended.stderr}`.split("\n").filter((line) => line.trim() !== "");
  const shown = lines.length <= 8 ? lines : [...lines.slice(0, 4), "…", ...lines.slice(-4)];
  return { ok: false, why: [`${program} ended with ${ended.status ?? ended.signal}`, ...shown].join("\n    ") };
}
