import { execFile } from "node:child_process";
import { access, constants, readFile, stat, writeFile } from "node:fs/promises";
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

/**
 * Asks each Python on `searchPath` who it is; several names of one program are one interpreter.
 * Answers are remembered in `memoryFile` (undefined: nowhere): asking starts a program for each, remembering looks at their files.
 */
export async function findPythons(searchPath: string, memoryFile: string | undefined): Promise<readonly PythonInterpreter[]> {
  const remembered = await readAnswers(memoryFile);
  const programs = (await Promise.all(NAMES.map((name) => locate(name, searchPath)))).filter((program) => program !== undefined);
  const known = programs.map((program) => remembered[program.stamp]);
  const answers = await Promise.all(
    programs.map(async (program, index) => {
      const answer = known[index];
      return answer !== undefined && (await stillHolds(answer)) ? answer : ((await identify(program, searchPath)) ?? NO_PYTHON);
    }),
  );
  if (answers.some((answer, index) => answer !== known[index])) {
    await writeAnswers(memoryFile, Object.fromEntries(programs.map(({ stamp }, index) => [stamp, answers[index]])));
  }
  const byPath = new Map<string, PythonInterpreter>();
  for (const found of answers) {
    if (found !== NO_PYTHON && !byPath.has(found.path)) byPath.set(found.path, found);
  }
  return [...byPath.values()];
}

/** A program found by name; its stamp changes when another file takes its place. */
interface Program {
  readonly name: string;
  readonly path: string;
  readonly stamp: string;
}

async function identify({ name, path: program }: Program, searchPath: string): Promise<PythonInterpreter | undefined> {
  const answer = await ask(program, searchPath);
  const [version, path, prefix, basePrefix] = answer.split("\n");
  if (!version || !path || !prefix || !basePrefix || !/^3\.\d+$/.test(version)) return undefined;
  return { version, path, prefix, basePrefix, isDefault: name === "python3" };
}

async function locate(name: string, searchPath: string): Promise<Program | undefined> {
  for (const folder of searchPath.split(delimiter)) {
    const path = join(folder, name);
    if (!(await isExecutable(path))) continue;
    const { mtimeMs, size } = await stat(path);
    return { name, path, stamp: `${path} ${mtimeMs} ${size} ${searchPath}` };
  }
  return undefined;
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** What a program said: who it is, or that it is no Python, as a shim of a version that is not installed. */
type Answer = PythonInterpreter | typeof NO_PYTHON;
type Answers = Readonly<Record<string, Answer | undefined>>;
const NO_PYTHON = "none";

/** A remembered answer holds as long as its program is there: a shim stays the same when what it leads to goes. */
async function stillHolds(answer: Answer): Promise<boolean> {
  return answer === NO_PYTHON || (await isExecutable(answer.path));
}

async function readAnswers(file: string | undefined): Promise<Answers> {
  const nothing: Answers = Object.create(null);
  if (file === undefined) return nothing;
  try {
    return Object.assign(nothing, JSON.parse(await readFile(file, "utf8")));
  } catch {
    // Absent or damaged: it is only a memory, and every Python is asked again.
    return nothing;
  }
}

async function writeAnswers(file: string | undefined, answers: Answers): Promise<void> {
  if (file === undefined) return;
  // A folder that cannot be written costs the next start some time, nothing else.
  await writeFile(file, JSON.stringify(answers)).catch(() => undefined);
}

/** What the program prints; nothing when it fails, as shims do for versions that are not installed. */
function ask(program: string, searchPath: string): Promise<string> {
  return new Promise((resolve) => {
    execFile(program, ["-I", "-c", QUESTION], { timeout: ANSWER_MS_MAX, env: { PATH: searchPath } }, (error, output) =>
      resolve(error ? "" : output),
    );
  });
}
