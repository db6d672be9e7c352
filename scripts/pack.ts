/**
 * `npm run pack [-- <folder>]`: packs the published `lambent` from what the build made, into `dist/` or the folder named.
 *
 * The published manifest is written into a staging folder and packed there, with the same `bin/lambent.mjs` as in the
 * checkout, which finds the JavaScript in `dist` where there is no TypeScript. Two packages travel along, bundled: the SDKs that functions find
 * (docs/decisions/0012-the-package-brings-the-sdks.md), and `@lambent/sdk`, of which the engine runs the windows
 * (docs/decisions/0037-managed-windows-are-a-journal.md). Prints the archive's path.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";

const root = join(import.meta.dirname, "..");
const platform = join(root, "packages", "platform");
const staging = join(root, "dist", "package");
const destination = resolve(process.argv[2] ?? join(root, "dist"));

const built = spawnSync(process.execPath, [join(import.meta.dirname, "build.ts")], { stdio: ["ignore", 2, "inherit"] });
if (built.status !== 0) process.exit(1);

rmSync(staging, { recursive: true, force: true });
mkdirSync(staging, { recursive: true });
mkdirSync(destination, { recursive: true });
for (const folder of ["bin", "dist"]) cpSync(join(platform, folder), join(staging, folder), { recursive: true });
for (const file of ["README.md", "LICENSE", "NOTICE"]) cpSync(join(root, file), join(staging, file));
const functionSdk = join(root, "packages", "function-sdk");
if (!existsSync(join(functionSdk, "node_modules"))) {
  console.error("The SDKs that functions find are not installed. Run: npm ci --prefix packages/function-sdk");
  process.exit(1);
}
const bundled = join(staging, "node_modules", "lambent-function-sdk");
cpSync(join(functionSdk, "node_modules"), join(bundled, "node_modules"), { recursive: true, filter: isRun });
const sdk = join(root, "packages", "sdk");
const bundledSdk = join(staging, "node_modules", "@lambent", "sdk");
cpSync(join(sdk, "dist"), join(bundledSdk, "dist"), { recursive: true, filter: isRun });

/** Declarations are for compilers, and more than half of the tree. */
function isRun(path: string): boolean {
  return !/[/\\]dist-types([/\\]|$)|\.d\.ts$/u.test(path) && basename(path) !== ".package-lock.json" && basename(path) !== ".bin";
}

type Manifest = Readonly<Record<string, unknown>>;

function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest;
}

function writeManifest(folder: string, content: Manifest): void {
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(content, null, 2)}\n`);
}

/** In the checkout they lead to TypeScript. */
function builtExports({ exports }: Manifest): Manifest {
  const entries = Object.entries(exports as Readonly<Record<string, string>>);
  return Object.fromEntries(entries.map(([path, file]) => [path, file.replace("./src/", "./dist/").replace(/\.ts$/u, ".js")]));
}

const { name, version, description, license, type, engines, dependencies } = manifestOf(platform);
const functionSdkManifest = manifestOf(functionSdk);
const sdkManifest = manifestOf(sdk);
writeManifest(bundled, { ...functionSdkManifest, private: undefined, version });
writeManifest(bundledSdk, { ...sdkManifest, exports: builtExports(sdkManifest) });
const manifest = {
  name,
  version,
  description,
  license,
  type,
  engines,
  bin: { lambent: "bin/lambent.mjs" },
  exports: { "./package.json": "./package.json" },
  files: ["bin", "dist", "NOTICE"],
  dependencies: { ...(dependencies as object), [String(functionSdkManifest["name"])]: version },
  bundleDependencies: [functionSdkManifest["name"], sdkManifest["name"]],
};
writeManifest(staging, manifest);

const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", destination], { cwd: staging, encoding: "utf8" });
const report: unknown = JSON.parse(packed);
const [archive] = (Array.isArray(report) ? report : Object.values(report as object)) as { filename: string }[];
if (archive === undefined) process.exit(1);
console.log(join(destination, archive.filename));
