/**
 * `npm run build`: makes packages/platform/dist, the engine as plain JavaScript.
 *
 * The compiler strips types and turns `.ts` import endings into `.js`. It knows nothing of paths in strings, so
 * `new URL("./worker.ts", import.meta.url)` is turned here. Every other file of src (schemas, Python, bootstraps in
 * JavaScript) is copied as it is.
 */
import { spawnSync } from "node:child_process";
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const platform = join(import.meta.dirname, "..", "packages", "platform");
const source = join(platform, "src");
const built = join(platform, "dist");
const SIBLING_URL = /new URL\(\s*(["'`])(\.[^"'`]+)\.ts\1,\s*import\.meta\.url\s*\)/gu;

rmSync(built, { recursive: true, force: true });
const compiler = join(platform, "..", "..", "node_modules", "typescript", "bin", "tsc");
const compiled = spawnSync(process.execPath, [compiler, "-p", join(platform, "tsconfig.build.json")], { stdio: "inherit" });
if (compiled.status !== 0) process.exit(1);

for (const file of globSync("**/*.js", { cwd: built })) {
  const text = readFileSync(join(built, file), "utf8");
  const turned = text.replace(SIBLING_URL, "new URL($1$2.js$1, import.meta.url)");
  if (turned !== text) writeFileSync(join(built, file), turned);
}
cpSync(source, built, { recursive: true, filter: (from) => !from.endsWith(".ts") && !from.endsWith("__pycache__") });
