import { readFileSync, statSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import { CommandFailure } from "../errors.ts";
import { formatBytes } from "../output.ts";
import { bundleTypeScript } from "./bundle.ts";
import { installDependencies } from "./dependencies.ts";
import { CUSTOM_RUNTIME, guess, type Guess } from "./guess.ts";
import { walk, type PackFile } from "./walk.ts";
import { archiveOf, zipFiles, type Archive } from "./zip.ts";

/** A function's code ready to upload, with what was found out about it. */
export interface Packed extends Archive {
  readonly runtime: string;
  readonly handler: string;
  readonly style: "lambda" | "web";
  /** Which of the two nobody said. */
  readonly guessed: { readonly runtime: boolean; readonly handler: boolean };
}

export interface PackRequest {
  /** A folder, a code file, or a zip. */
  readonly path: string;
  readonly runtime?: string | undefined;
  readonly handler?: string | undefined;
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly note: (text: string) => void;
}

/** Largest package the server takes by direct upload, as at AWS (P7): looked at here, before minutes of sending. */
export const ARCHIVE_BYTES_MAX = 52_428_800;

/** What of a function's folder describes it and is not its code. */
const NOT_CODE = ["lambent.yaml", "README.md", "**/*.test.*", "test/**"];

/** Packs a folder, a single code file, or takes a zip as it is. */
export async function pack(request: PackRequest): Promise<Packed> {
  const path = resolve(request.path);
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found)
    throw new CommandFailure("usage", `${request.path} does not exist.`, "Give a folder, a code file or a zip: lambent deploy hello.mjs");
  const guessed = { runtime: request.runtime === undefined, handler: request.handler === undefined };
  const packed = found.isFile() ? await packOneFile(request, path) : await packFolder(request, path);
  if (packed.zip.length > ARCHIVE_BYTES_MAX)
    throw new CommandFailure(
      "usage",
      `${request.path} makes a package of ${formatBytes(packed.zip.length)}; ${formatBytes(ARCHIVE_BYTES_MAX)} is the most by direct upload.`,
      "Leave out what the code does not need: `exclude` in lambent.yaml takes patterns.",
    );
  return { ...packed, guessed };
}

function packOneFile(request: PackRequest, path: string): Promise<Omit<Packed, "guessed">> | Omit<Packed, "guessed"> {
  return path.endsWith(".zip") ? packZip(request, path) : packFile(request, path);
}

function packZip(request: PackRequest, path: string): Omit<Packed, "guessed"> {
  const { runtime, handler } = request;
  if (!runtime || !(handler ?? runtime.startsWith("provided"))) {
    throw new CommandFailure(
      "usage",
      `${request.path} is a zip, and runtime and handler are not read out of zips.`,
      `Say both: lambent deploy ${request.path} --runtime nodejs22.x --handler index.handler`,
    );
  }
  return {
    ...archiveOf(readFileSync(path)),
    runtime,
    handler: handler ?? "bootstrap",
    style: handler?.endsWith(".httpHandler") ? "web" : "lambda",
  };
}

async function packFile(request: PackRequest, path: string): Promise<Omit<Packed, "guessed">> {
  const name = basename(path);
  const found = guess({ names: [name], read: () => readFileSync(path, "utf8") }, request);
  const files = isTypeScript(name)
    ? await bundleTypeScript(resolve(path, ".."), name, undefined)
    : [{ name, source: { kind: "path", path } as const, executable: found.runtime === CUSTOM_RUNTIME }];
  return finish(found, await zipFiles(files));
}

async function packFolder(request: PackRequest, folder: string): Promise<Omit<Packed, "guessed">> {
  const exclude = [...NOT_CODE, ...(request.exclude ?? [])];
  const own = walk(folder, { exclude: [...exclude, "node_modules/**"] });
  const found = guess({ names: own.map((file) => file.name), read: (name) => readFileSync(join(folder, name), "utf8") }, request);
  if (found.runtime.startsWith("provided")) return finish(found, await zipFiles(withBootstrap(own, request.path)));
  const language = found.entry.endsWith(".py") ? "python" : "node";
  const dependencies = await installDependencies(folder, language, request.environment, request.note);
  if (isTypeScript(found.entry)) {
    const bundle = await bundleTypeScript(folder, found.entry, dependencies.kind === "node" ? dependencies.modules : undefined);
    const beside = request.include ? walk(folder, { exclude, only: request.include }) : [];
    return finish(found, await zipFiles([...bundle, ...beside]));
  }
  switch (dependencies.kind) {
    case "none":
      return finish(found, await zipFiles(own));
    case "own":
      return finish(found, await zipFiles(walk(folder, { exclude })));
    case "node":
      return finish(
        found,
        await zipFiles([...own, ...walk(dependencies.modules).map((file) => ({ ...file, name: `node_modules/${file.name}` }))]),
      );
    case "python":
      return finish(found, await zipFiles(merge(walk(dependencies.packages), own)));
  }
}

/** A custom runtime's `bootstrap` has to be executable whatever the file system says. */
function withBootstrap(files: readonly PackFile[], path: string): PackFile[] {
  if (!files.some((file) => file.name === "bootstrap")) {
    throw new CommandFailure(
      "usage",
      `${path} has no file named bootstrap, which a custom runtime starts.`,
      "Add it, or choose another --runtime.",
    );
  }
  return files.map((file) => (file.name === "bootstrap" ? { ...file, executable: true } : file));
}

/** The function's own files win over packages of the same name. */
function merge(below: readonly PackFile[], above: readonly PackFile[]): PackFile[] {
  return [...new Map([...below, ...above].map((file) => [file.name, file])).values()];
}

function finish(found: Guess, archive: Archive): Omit<Packed, "guessed"> {
  return { ...archive, runtime: found.runtime, handler: found.handler, style: found.style };
}

function isTypeScript(name: string): boolean {
  return [".ts", ".mts", ".cts"].includes(extname(name));
}
