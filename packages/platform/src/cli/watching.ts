import { statSync, watch } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { CommandFailure } from "./errors.ts";

/** What of a folder is no code: others' files, our own, and what editors put beside a file they write. */
const NOT_CODE = /(^|[/\\])(node_modules|\.git|\.lambent|__pycache__|\.venv)([/\\]|$)|~$|\.sw[a-z]$/u;

export interface Watching {
  readonly onSave: () => void;
  readonly onTrouble: (error: Error) => void;
}

/**
 * Calls back at every save of what `dev` was given. A file is watched by its folder: editors save by renaming, and the
 * file that was there before is then no more heard of. Answers how it is ended; throws where there is nothing to watch.
 */
export function watchCode(path: string, { onSave, onTrouble }: Watching): () => void {
  const file = watchedFile(path);
  const heard = (name: string | null): boolean => name === null || (file === undefined ? !NOT_CODE.test(name) : name === file);
  const folder = isFolder(path) ? resolve(path) : dirname(resolve(path));
  const watcher = watch(folder, { recursive: file === undefined }, (_event, name) => {
    if (heard(name)) onSave();
  });
  watcher.on("error", onTrouble);
  return () => watcher.close();
}

/** The one name that matters in its folder; undefined when all below it does: for a folder, and for what a document names. */
function watchedFile(path: string): string | undefined {
  return isFolder(path) || /\.ya?ml$/u.test(path) ? undefined : basename(path);
}

function isFolder(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found) return found.isDirectory();
  throw new CommandFailure("usage", `${path} does not exist.`, "Give a folder, a code file or a lambent.yaml: lambent dev .");
}
