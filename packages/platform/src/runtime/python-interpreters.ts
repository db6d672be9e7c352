import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";

/** One Python of this machine; `path` is the program itself, never a shim that would cost its start time. */
export interface PythonInterpreter {
  /** `3.11`. */
  readonly version: string;
  readonly path: string;
  /** Folder that holds `bin` and the installed packages: a virtual environment's own. */
  readonly prefix: string;
  /** Folder of the interpreter a virtual environment was made from; the same as `prefix` without one. */
  readonly basePrefix: string;
  /** True for what `python3` means here. */
  readonly isDefault: boolean;
}

const NAMES = ["python3", "python3.9", "python3.10", "python3.11", "python3.12", "python3.13", "python3.14"];

/** A Python that does not answer in this time is not used. */
const ANSWER_MS_MAX = 5_000;

// `sys.executable` as it is: a virtual environment is known by the path of its link, while a shim names the real program itself.
const QUESTION = "import sys; print('%d.%d' % sys.version_info[:2], sys.executable, sys.prefix, sys.base_prefix, sep='\\n')";

/** Asks each Python on `searchPath` who it is; several names of one program are one interpreter. */
export async function findPythons(searchPath: string): Promise<readonly PythonInterpreter[]> {
  const answers = await Promise.all(NAMES.map((name) => identify(name, searchPath)));
  const byPath = new Map<string, PythonInterpreter>();
  for (const found of answers) {
    if (found && !byPath.has(found.path)) byPath.set(found.path, found);
  }
  return [...byPath.values()];
}

async function identify(name: string, searchPath: string): Promise<PythonInterpreter | undefined> {
  const program = await locate(name, searchPath);
  if (program === undefined) return undefined;
  const answer = await ask(program, searchPath);
  const [version, path, prefix, basePrefix] = answer.split("\n");
  if (!version || !path || !prefix || !basePrefix || !/^3\.\d+$/.test(version)) return undefined;
  return { version, path, prefix, basePrefix, isDefault: name === "python3" };
}

async function locate(name: string, searchPath: string): Promise<string | undefined> {
  for (const folder of searchPath.split(delimiter)) {
    const candidate = join(folder, name);
    const executable = await access(candidate, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (executable) return candidate;
  }
  return undefined;
}

/** What the program prints; nothing when it fails, as shims do for versions that are not installed. */
function ask(program: string, searchPath: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, ["-I", "-c", QUESTION], { timeout: ANSWER_MS_MAX, env: { PATH: searchPath } }, (error, output) =>
      resolve(error ? "" : output),
    );
  });
}
