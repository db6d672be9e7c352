/**
 * The `lambent` command; `bin/lambent.mjs` begins it. Thin by design: a verb reads its arguments, speaks HTTP to the server and prints.
 * Modules of a verb are loaded when the verb is used, so that the short ones stay short.
 */
import { enableCompileCache } from "node:module";

// Worker threads take the cache from the environment only; without it each strips and compiles its modules anew.
const { directory } = enableCompileCache();
if (directory !== undefined) process.env["NODE_COMPILE_CACHE"] ??= directory;
const { endWithReader } = await import("./readers.ts");
endWithReader();
const [first] = process.argv.slice(2);
if (first === "--version" || first === "-V") {
  const { packageVersion } = await import("./version.ts");
  process.stdout.write(`${packageVersion()}\n`);
} else {
  const { runCommandLine } = await import("./program.ts");
  const exit = await runCommandLine(process.argv.slice(2), process.env);
  // What failed may have left something open that would keep the process; what succeeded has closed all it opened.
  if (exit !== 0) process.exit(exit);
}
