import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { BenchServer } from "./server.ts";

export interface BenchFunction {
  readonly runtime: string;
  /** Path → text. */
  readonly files: Readonly<Record<string, string>>;
  readonly concurrency?: number;
  readonly url?: boolean;
}

/** Writes the functions as one application and deploys it as people do, dependencies and TypeScript included. */
export async function deployAll(server: BenchServer, functions: Readonly<Record<string, BenchFunction>>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "lambent-bench-app-"));
  try {
    const entries = Object.entries(functions).map(([name, { runtime, files, concurrency = 1, url = false }]) => {
      writeAll(join(folder, name), files);
      return [name, { code: `./${name}`, runtime, handler: "index.handler", concurrency, url }] as const;
    });
    // JSON is YAML.
    writeFileSync(join(folder, "lambent.yaml"), JSON.stringify({ app: "bench", functions: Object.fromEntries(entries) }));
    await server.deploy(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeAll(folder: string, files: BenchFunction["files"]): void {
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}
