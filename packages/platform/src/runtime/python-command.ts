import { join } from "node:path";
import { bootstrapFolder, INSIDE, type LaunchContext, type ProgramLine, seenAt } from "./launch.ts";
import type { PythonInterpreter } from "./python-interpreters.ts";

/** The program line of a Python started by itself, and the folders it needs to see. */
export function pythonCommand(context: LaunchContext, interpreter: PythonInterpreter): ProgramLine {
  const bootstrap = seenAt(context.sandbox, bootstrapFolder("python"), INSIDE.bootstrap);
  const { prefix } = interpreter;
  // Below /usr it is there already. Elsewhere its library finds itself only at its own path.
  const own =
    context.sandbox.report.confined && prefix !== "/usr" && !prefix.startsWith("/usr/") ? [{ source: prefix, target: prefix }] : [];
  return {
    command: [interpreter.path, join(bootstrap.path, "bootstrap.py")],
    mounts: [...bootstrap.mounts, ...own],
    programFolders: [join(prefix, "bin")],
  };
}
