import { extname, relative } from "node:path";
import { CommandFailure } from "../errors.ts";
import type { PackFile } from "./walk.ts";

/** `require` for CommonJS dependencies inside a bundle that is an ES module. */
const REQUIRE_BANNER = `import { createRequire as lambentCreateRequire } from "node:module"; const require = lambentCreateRequire(import.meta.url);`;
const COMPLAINTS_MAX = 3;

/**
 * Bundles a TypeScript entry with what it imports into one ES module and its source map, at the entry's own place,
 * so that the handler keeps its name. The AWS SDK is left out: the runtime has it.
 */
export async function bundleTypeScript(folder: string, entry: string, modules: string | undefined): Promise<PackFile[]> {
  const { build } = await import("esbuild");
  const out = `${entry.slice(0, -extname(entry).length)}.mjs`;
  try {
    const result = await build({
      absWorkingDir: folder,
      entryPoints: [entry],
      outfile: out,
      bundle: true,
      write: false,
      platform: "node",
      format: "esm",
      target: "node22",
      sourcemap: "linked",
      sourcesContent: true,
      keepNames: true,
      legalComments: "none",
      external: ["@aws-sdk/*"],
      mainFields: ["module", "main"],
      banner: { js: REQUIRE_BANNER },
      logLevel: "silent",
      ...(modules ? { nodePaths: [modules] } : {}),
    });
    return result.outputFiles.map((file) => ({
      name: relative(folder, file.path),
      source: { kind: "bytes", bytes: Buffer.from(file.contents) },
      executable: false,
    }));
  } catch (error) {
    throw buildFailure(entry, error);
  }
}

function buildFailure(entry: string, error: unknown): CommandFailure {
  const errors =
    (
      error as {
        readonly errors?: readonly { readonly text: string; readonly location: { readonly file: string; readonly line: number } | null }[];
      }
    ).errors ?? [];
  const lines = errors
    .slice(0, COMPLAINTS_MAX)
    .map(({ text, location }) => (location ? `${location.file}:${location.line} ${text}` : text));
  const missing = lines.some((line) => line.includes("Could not resolve"));
  return new CommandFailure(
    "usage",
    `${entry} could not be bundled: ${lines.join("; ") || (error as Error).message}.`,
    missing ? "Run `npm install` in the function's folder, or add the package to its package.json." : "Correct the code and deploy again.",
  );
}
