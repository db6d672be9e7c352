/** Cases in Python: one process, one line of JSON for each. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";

export interface CaseEnding {
  readonly operation: string;
  /** Status of the refusal, where the case has one. */
  readonly status: number | null;
  readonly error: string | null;
}

/** Runs a script that declares cases by `stage.py`; how each ended. */
export async function runPythonCases(script: string, environment: Readonly<Record<string, string>>): Promise<readonly CaseEnding[]> {
  const child = spawn("python3", [script], { env: { ...environment, PYTHONDONTWRITEBYTECODE: "1" }, stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (printed += text));
  const [code] = (await once(child, "close")) as [number | null];
  assert.equal(code, 0, printed);
  return printed
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as CaseEnding);
}
