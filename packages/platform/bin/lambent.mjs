#!/usr/bin/env sh
// 2>/dev/null; exec node -- "$0" "$@"
/**
 * The command `lambent`, in a checkout and in the published package.
 *
 * To a shell, which reads the first two lines, it is "run this file with node"; to Node they are comments. The `--` ends
 * what Node takes for its own: without it, Node reads the file that `lambent deploy --env-file` names into itself. `env -S`
 * would say the same, and is not everywhere.
 *
 * JavaScript, and the cache on, before the first TypeScript is met: a module that is loaded before that is stripped of its
 * types anew at every start, and for it the whole stripper is loaded. Whatever Node comes gets this far and is told.
 */
import { existsSync } from "node:fs";
import * as modules from "node:module";

const NODE_MAJOR_MIN = 24;
const checkout = new URL("../src/cli/main.ts", import.meta.url);
const isCheckout = existsSync(checkout);

if (Number(process.versions.node.split(".")[0]) < NODE_MAJOR_MIN) {
  const way = isCheckout ? "npx lambent, which brings its own, starts it here" : `install Node ${NODE_MAJOR_MIN} or newer`;
  process.stderr.write(`lambent: this Node is v${process.versions.node}; ${NODE_MAJOR_MIN} or newer is needed: ${way}.\n`);
  process.exitCode = 1;
} else {
  modules.enableCompileCache();
  await import((isCheckout ? checkout : new URL("../dist/cli/main.js", import.meta.url)).href);
}
