import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("power.c", import.meta.url));
/** What is built or compiled for the rig lies here and is used again by the next run. */
export const CACHE_FOLDER = fileURLToPath(new URL("../../../../node_modules/.cache/lambent-crash", import.meta.url));

/** Calls that the layer makes fail: the `first`-th `call` on a path with `part` in it, and the `count - 1` behind it. */
export interface Failing {
  readonly call: "write" | "sync";
  readonly part: string;
  readonly first: number;
  readonly count: number;
  readonly error: "EIO" | "ENOSPC";
}

const NUMBERS = { EIO: 5, ENOSPC: 28 } as const;

/** The environment of a process that runs on the layer. Builds the layer with `cc` when that was not done before. */
export function powerEnvironment(folder: string, log: string, failing?: Failing): Record<string, string> {
  const fail = failing && [failing.call, failing.part, failing.first, failing.count, NUMBERS[failing.error]].join(" ");
  return { LD_PRELOAD: builtLayer(), POWER_FOLDER: folder, POWER_LOG: log, ...(fail === undefined ? {} : { POWER_FAIL: fail }) };
}

function builtLayer(): string {
  const name = createHash("sha256").update(readFileSync(SOURCE)).digest("hex").slice(0, 16);
  const built = join(CACHE_FOLDER, `power-${name}.so`);
  if (existsSync(built)) return built;
  mkdirSync(CACHE_FOLDER, { recursive: true });
  const draft = `${built}.${process.pid}`;
  const ended = spawnSync("cc", ["-O2", "-Wall", "-shared", "-fPIC", "-o", draft, SOURCE, "-ldl", "-lpthread"], { encoding: "utf8" });
  if (ended.status !== 0)
    throw new TypeError(`cc could not build ${SOURCE} (Debian: gcc and libc6-dev): ${ended.error?.message ?? ended.stderr}`);
  renameSync(draft, built);
  return built;
}
