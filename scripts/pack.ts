/**
 * `npm run pack [-- <folder>]`: packs the published `lambent` from what the build made, into `dist/` or the folder named.
 *
 * npm ignores `publishConfig.bin`, so the published manifest is written into a staging folder and packed there: there
 * `bin` leads to JavaScript, where the checkout's leads to TypeScript. Prints the archive's path.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = join(import.meta.dirname, "..");
const platform = join(root, "packages", "platform");
const staging = join(root, "dist", "package");
const destination = resolve(process.argv[2] ?? join(root, "dist"));

const built = spawnSync(process.execPath, [join(import.meta.dirname, "build.ts")], { stdio: ["ignore", 2, "inherit"] });
if (built.status !== 0) process.exit(1);

rmSync(staging, { recursive: true, force: true });
mkdirSync(join(staging, "function-sdk"), { recursive: true });
mkdirSync(destination, { recursive: true });
cpSync(join(platform, "dist"), join(staging, "dist"), { recursive: true });
for (const file of ["README.md", "LICENSE", "NOTICE"]) cpSync(join(root, file), join(staging, file));
// The tree itself is installed where Lambent runs, from this lock file.
for (const file of ["package.json", "package-lock.json", "requirements.txt"]) {
  cpSync(join(root, "packages", "function-sdk", file), join(staging, "function-sdk", file));
}

const { name, version, description, license, type, engines, dependencies } = JSON.parse(
  readFileSync(join(platform, "package.json"), "utf8"),
) as Record<string, unknown>;
const manifest = {
  name,
  version,
  description,
  license,
  type,
  engines,
  bin: { lambent: "dist/cli/main.js" },
  exports: { "./package.json": "./package.json" },
  files: ["dist", "function-sdk", "NOTICE"],
  dependencies,
};
writeFileSync(join(staging, "package.json"), `${JSON.stringify(manifest, null, 2)}\n`);

const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", destination], { cwd: staging, encoding: "utf8" });
const report: unknown = JSON.parse(packed);
const [archive] = (Array.isArray(report) ? report : Object.values(report as object)) as { filename: string }[];
if (archive === undefined) process.exit(1);
console.log(join(destination, archive.filename));
