import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { CommandFailure } from "../errors.ts";

/**
 * Dependencies of a function: installed beside its folder, never into it, once per lock file.
 * A folder that brings its own `node_modules` is packed as it is.
 */

export type Dependencies =
  | { readonly kind: "none" }
  /** In the function's own folder already. */
  | { readonly kind: "own" }
  /** `node_modules` of a build folder. */
  | { readonly kind: "node"; readonly modules: string; readonly fresh: boolean }
  /** A folder of Python packages that goes to the top of the zip. */
  | { readonly kind: "python"; readonly packages: string; readonly fresh: boolean };

const run = promisify(execFile);
/** An installation may take this long. */
const INSTALL_MS_MAX = 300_000;
const INSTALL_OUTPUT_BYTES_MAX = 16 * 1024 * 1024;

/** `$XDG_CACHE_HOME/lambent/builds`, else below `~/.cache`. */
export function buildsFolder(environment: NodeJS.ProcessEnv): string {
  return join(environment["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "lambent", "builds");
}

/** Makes what `folder` depends on available, telling `note` when something is installed. */
export async function installDependencies(
  folder: string,
  language: "node" | "python",
  environment: NodeJS.ProcessEnv,
  note: (text: string) => void,
): Promise<Dependencies> {
  return language === "python" ? installPython(folder, environment, note) : installNode(folder, environment, note);
}

async function installNode(folder: string, environment: NodeJS.ProcessEnv, note: (text: string) => void): Promise<Dependencies> {
  if (existsSync(join(folder, "node_modules"))) return { kind: "own" };
  if (!declaresDependencies(join(folder, "package.json"))) return { kind: "none" };
  const foreign = [
    ["pnpm-lock.yaml", "pnpm install --prod"],
    ["yarn.lock", "yarn install"],
    ["bun.lock", "bun install --production"],
  ].find(([name]) => existsSync(join(folder, name ?? "")));
  if (foreign)
    throw new CommandFailure(
      "usage",
      `${folder} has ${foreign[0]} and no node_modules.`,
      `Run \`${foreign[1]}\` there, then deploy again.`,
    );
  const locked = existsSync(join(folder, "package-lock.json"));
  const files = ["package.json", ...(locked ? ["package-lock.json"] : [])];
  const command = ["npm", locked ? "ci" : "install", "--omit=dev", "--no-audit", "--no-fund", "--loglevel=error"];
  const build = buildPath(environment, [
    process.platform,
    process.arch,
    process.version,
    ...files.map((name) => readFileSync(join(folder, name), "utf8")),
  ]);
  const fresh = await install(build, command, note, (inside) => {
    for (const name of files) copyFileSync(join(folder, name), join(inside, name));
    mkdirSync(join(inside, "node_modules"));
  });
  return { kind: "node", modules: join(build, "node_modules"), fresh };
}

async function installPython(folder: string, environment: NodeJS.ProcessEnv, note: (text: string) => void): Promise<Dependencies> {
  const requirements = join(folder, "requirements.txt");
  if (!existsSync(requirements) || !/^\s*[^#\s]/mu.test(readFileSync(requirements, "utf8"))) return { kind: "none" };
  const build = buildPath(environment, [process.platform, process.arch, "python3", readFileSync(requirements, "utf8")]);
  const command = [
    "python3",
    "-m",
    "pip",
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--no-compile",
    "--target",
    "packages",
    "-r",
    requirements,
  ];
  const fresh = await install(build, command, note, (inside) => mkdirSync(join(inside, "packages")));
  return { kind: "python", packages: join(build, "packages"), fresh };
}

function declaresDependencies(path: string): boolean {
  if (!existsSync(path)) return false;
  try {
    const { dependencies } = JSON.parse(readFileSync(path, "utf8")) as { readonly dependencies?: Readonly<Record<string, string>> };
    return Object.keys(dependencies ?? {}).length > 0;
  } catch (error) {
    throw new CommandFailure("usage", `${path} is not JSON: ${(error as Error).message}.`, "Correct it and deploy again.");
  }
}

function buildPath(environment: NodeJS.ProcessEnv, parts: readonly string[]): string {
  const hash = createHash("sha256").update(parts.join("\0")).digest("hex");
  return join(buildsFolder(environment), hash.slice(0, 32));
}

/** Installs beside and renames, so that a build folder that exists is whole. Answers whether it was installed now. */
async function install(
  build: string,
  command: readonly string[],
  note: (text: string) => void,
  prepare: (inside: string) => void,
): Promise<boolean> {
  if (existsSync(build)) return false;
  mkdirSync(join(build, ".."), { recursive: true });
  const inside = mkdtempSync(`${build}.`);
  const shown = command.slice(0, 4).join(" ");
  note(`  installing dependencies: ${shown} …`);
  try {
    prepare(inside);
    const [program = "", ...rest] = command;
    await run(program, rest, { cwd: inside, timeout: INSTALL_MS_MAX, maxBuffer: INSTALL_OUTPUT_BYTES_MAX });
    renameIfFirst(inside, build);
    return true;
  } catch (error) {
    const said =
      String((error as { readonly stderr?: string }).stderr ?? "")
        .trim()
        .split("\n")[0] || (error as Error).message;
    throw new CommandFailure(
      "failed",
      `Dependencies could not be installed: ${said}`,
      `Run it by hand to see all it says: ${command.join(" ")}`,
    );
  } finally {
    rmSync(inside, { recursive: true, force: true });
  }
}

/** Two deployments may install the same at once; either result serves both. */
function renameIfFirst(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}
