import { execFile } from "node:child_process";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { deferred, invariant } from "../../base/index.ts";
import type { ConfinedProcess, LaunchSpec, ProcessExit, ReadOnlyMount, Zygote, ZygoteSpec } from "../sandbox.ts";

const run = promisify(execFile);

const BOOTSTRAP_FOLDER = "/lambent/zygote";

/** Loads a bootstrap the way the zygote does and runs it. */
const RUN_BOOTSTRAP = `
import importlib.util, sys
spec = importlib.util.spec_from_file_location("lambent_bootstrap", sys.argv[1])
module = sys.modules["lambent_bootstrap"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
sys.stdout.reconfigure(line_buffering=True)
module.main(3)
`;

/**
 * The zygote's interface where a fork cannot confine itself (no root): each "fork" is a fresh interpreter in a
 * sandbox of its own. As confined as any other instance, and as slow as its imports.
 */
export async function freshZygote(spec: ZygoteSpec, launch: (spec: LaunchSpec) => Promise<ConfinedProcess>): Promise<Zygote> {
  const libraries = await libraryMounts(spec.python);
  const mounts = [...libraries, { source: dirname(spec.bootstrap), target: BOOTSTRAP_FOLDER }];
  const bootstrap = join(BOOTSTRAP_FOLDER, basename(spec.bootstrap));
  const exited = deferred<ProcessExit>();
  return {
    exited: exited.promise,
    fork: (forked) => launch({ ...forked, mounts, command: [spec.python, "-I", "-X", "utf8", "-c", RUN_BOOTSTRAP, bootstrap] }),
    stop: () => exited.resolve({ code: 0, signal: undefined, outOfMemory: false, memoryPeakBytes: 0 }),
  };
}

/** Each folder the interpreter imports from, at its own path. */
async function libraryMounts(python: string): Promise<ReadOnlyMount[]> {
  const { stdout } = await run(python, ["-I", "-B", join(import.meta.dirname, "..", "python", "library_folders.py")], {
    env: { PATH: "/usr/bin:/bin" },
  });
  const found: unknown = JSON.parse(stdout);
  invariant(
    typeof found === "object" && found !== null && "folders" in found && Array.isArray(found.folders),
    "the interpreter names its folders",
  );
  return found.folders.map((folder: unknown) => ({ source: String(folder), target: String(folder) }));
}
