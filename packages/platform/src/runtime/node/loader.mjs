// From a handler's name to the function: `file.export`, `dir/file.export`, `file.a.b`.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { RuntimeError } from "./errors.mjs";

const EXTENSIONS = [".js", ".mjs", ".cjs"];

/** Splits a handler's name; throws Runtime.MalformedHandlerName. */
function parse(handler) {
  if (handler.includes("..")) {
    throw new RuntimeError(
      "Runtime.MalformedHandlerName",
      `'${handler}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`,
    );
  }
  const last = basename(handler);
  const dot = last.indexOf(".");
  if (dot < 1 || dot === last.length - 1) {
    throw new RuntimeError("Runtime.MalformedHandlerName", `Bad handler '${handler}': it has the form file.export or folder/file.export`);
  }
  return { folder: dirname(handler), file: last.slice(0, dot), path: last.slice(dot + 1).split(".") };
}

function locate(taskRoot, folder, file) {
  const base = resolve(taskRoot, folder, file);
  for (const extension of EXTENSIONS) if (existsSync(base + extension)) return base + extension;
  if (existsSync(base)) return base;
  return undefined;
}

/** `import` for what says it is a module, `require` for the rest, which also takes modules without top-level await. */
async function load(file) {
  // A bundle brings its map so that errors show the lines people wrote; looking for one costs a stat.
  if (existsSync(`${file}.map`)) process.setSourceMapsEnabled(true);
  if (file.endsWith(".mjs")) return await import(pathToFileURL(file));
  try {
    return createRequire(file)(file);
  } catch (error) {
    if (error?.code !== "ERR_REQUIRE_ASYNC_MODULE") throw error;
    return await import(pathToFileURL(file));
  }
}

async function loadModule(taskRoot, folder, file) {
  const found = locate(taskRoot, folder, file);
  if (!found) {
    const tried = EXTENSIONS.map((extension) => join(folder, file + extension)).join(", ");
    throw new RuntimeError("Runtime.ImportModuleError", `Error: Cannot find module '${join(folder, file)}' (tried ${tried})`);
  }
  try {
    return await load(found);
  } catch (error) {
    if (error instanceof SyntaxError) throw asRuntimeError("Runtime.UserCodeSyntaxError", error);
    if (error?.code === "MODULE_NOT_FOUND" || error?.code === "ERR_MODULE_NOT_FOUND")
      throw asRuntimeError("Runtime.ImportModuleError", error);
    throw error;
  }
}

function asRuntimeError(name, cause) {
  const error = new RuntimeError(name, `${cause.name}: ${cause.message}`);
  error.stack = `${name}: ${cause.stack}`;
  return error;
}

function pick(loaded, path) {
  const walk = (root) => path.reduce((value, key) => (value === undefined || value === null ? undefined : value[key]), root);
  return walk(loaded) ?? walk(loaded?.default);
}

/**
 * Loads the handler function. Throws errors named Runtime.MalformedHandlerName, Runtime.ImportModuleError,
 * Runtime.UserCodeSyntaxError, Runtime.HandlerNotFound, or whatever the module itself threw.
 */
export async function loadHandler(taskRoot, handler) {
  const { folder, file, path } = parse(handler);
  const loaded = await loadModule(taskRoot, folder, file);
  const value = pick(loaded, path);
  if (typeof value === "function") return value;
  // `export default { fetch(request) {…} }`, as fetch-style servers write it.
  if (typeof value?.fetch === "function") return value.fetch.bind(value);
  if (value === undefined) throw new RuntimeError("Runtime.HandlerNotFound", `${handler} is undefined or not exported`);
  throw new RuntimeError("Runtime.HandlerNotFound", `${handler} is not a function`);
}
