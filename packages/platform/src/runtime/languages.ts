import type { PythonInterpreter } from "./python-interpreters.ts";

/** Which way a runtime id is run, and what this machine has for it. Pure tables. */

export type Language = "node" | "python" | "custom";

/** The language of a runtime id, or undefined for one Lambent does not run. */
export function languageOf(runtime: string): Language | undefined {
  if (/^nodejs\d+\.x$/.test(runtime)) return "node";
  if (/^python3\.\d+$/.test(runtime)) return "python";
  if (/^provided(\.al2|\.al2023)?$/.test(runtime)) return "custom";
  return undefined;
}

const NODE_IDS = ["nodejs18.x", "nodejs20.x", "nodejs22.x", "nodejs24.x"];
const PYTHON_IDS = ["python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14"];
const CUSTOM_IDS = ["provided", "provided.al2", "provided.al2023"];

/** The interpreter for `python3.N`: exactly that version, else the machine's `python3`, else none. */
export function interpreterFor(runtime: string, interpreters: readonly PythonInterpreter[]): PythonInterpreter | undefined {
  const wanted = runtime.slice("python".length);
  return interpreters.find((interpreter) => interpreter.version === wanted) ?? interpreters.find((interpreter) => interpreter.isDefault);
}

/** Runtime ids this machine runs, each with a note where it is not exactly that version. */
export function availableRuntimes(
  nodeVersion: string,
  interpreters: readonly PythonInterpreter[],
  withCustom: boolean,
): ReadonlyMap<string, { readonly note: string | undefined }> {
  const found = new Map<string, { readonly note: string | undefined }>();
  const major = nodeVersion.split(".")[0];
  for (const id of NODE_IDS) found.set(id, { note: id === `nodejs${major}.x` ? undefined : `runs on Node ${nodeVersion}` });
  for (const id of PYTHON_IDS) {
    const interpreter = interpreterFor(id, interpreters);
    if (interpreter) found.set(id, { note: id === `python${interpreter.version}` ? undefined : `runs on Python ${interpreter.version}` });
  }
  if (withCustom) for (const id of CUSTOM_IDS) found.set(id, { note: undefined });
  return found;
}
