import { existsSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The interpreter that functions get here: set-up's own environment, else the machine's. Throws when it has no boto3. */
export function pythonWithBoto3(): string {
  const made = fileURLToPath(new URL("../../.lambent/python/bin/python3", import.meta.url));
  const asked = spawnSync(existsSync(made) ? made : "python3", ["-c", "import sys, boto3; print(sys.executable)"], { encoding: "utf8" });
  if (asked.status !== 0) throw new TypeError("python3 here has no boto3; `node scripts/setup.mjs --for test` gives it one");
  return asked.stdout.trim();
}
