import { join } from "node:path";
import { bootstrapFolder, type Debugging, INSIDE, type LaunchContext, type ProgramLine, seenAt } from "./launch.ts";
import type { PythonInterpreter } from "./python-interpreters.ts";

/** The program line of a Python started by itself, and the folders it needs to see. */
export function pythonCommand(context: LaunchContext, interpreter: PythonInterpreter, debugging: Debugging = "off"): ProgramLine {
  const bootstrap = seenAt(context.sandbox, bootstrapFolder("python"), INSIDE.bootstrap);
  const script = join(bootstrap.path, "bootstrap.py");
  const { prefix, basePrefix } = interpreter;
  // Below /usr they are there already. Elsewhere a library finds itself only at its own path.
  const folders = [...new Set([prefix, basePrefix])].filter((folder) => folder !== "/usr" && !folder.startsWith("/usr/"));
  const own = context.sandbox.report.confined ? folders.map((folder) => ({ source: folder, target: folder })) : [];
  return {
    // A debugger cannot see into frozen modules, and says so in the function's log.
    command: debugging === "on" ? [interpreter.path, "-Xfrozen_modules=off", script, "--inspect"] : [interpreter.path, script],
    mounts: [...bootstrap.mounts, ...own],
    programFolders: [join(prefix, "bin")],
  };
}
