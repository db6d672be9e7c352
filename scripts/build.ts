/**
 * `npm run build`: makes packages/sdk/dist and packages/platform/dist, the two as plain JavaScript.
 *
 * The SDK comes first and with declarations: against those the engine is compiled, which would else compile the SDK's sources as its own.
 * The compiler strips types and turns `.ts` import endings into `.js`. It knows nothing of paths in strings, so
 * `new URL("./worker.ts", import.meta.url)` is turned here. Every other file of src (schemas, Python, bootstraps in
 * JavaScript) is copied as it is.
 */
import { spawnSync } from "node:child_process";
import { cpSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const packages = join(import.meta.dirname, "..", "packages");
const platform = join(packages, "platform");
const source = join(platform, "src");
const built = join(platform, "dist");
const SIBLING_URL = /new URL\(\s*(["'`])(\.[^"'`]+)\.ts\1,\s*import\.meta\.url\s*\)/gu;

const compiler = join(packages, "..", "node_modules", "typescript", "bin", "tsc");
for (const folder of [join(packages, "sdk"), platform]) {
  rmSync(join(folder, "dist"), { recursive: true, force: true });
  const compiled = spawnSync(process.execPath, [compiler, "-p", join(folder, "tsconfig.build.json")], { stdio: "inherit" });
  if (compiled.status !== 0) process.exit(1);
}

for (const file of globSync("**/*.js", { cwd: built })) {
  const text = readFileSync(join(built, file), "utf8");
  const turned = text.replace(SIBLING_URL, "new URL($1$2.js$1, import.meta.url)");
  if (turned !== text) writeFileSync(join(built, file), turned);
}
cpSync(source, built, { recursive: true, filter: (from) => !from.endsWith(".ts") && !from.endsWith("__pycache__") });
