import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { LoadJob, LoadResult } from "./generator.ts";

const GENERATOR = fileURLToPath(new URL("./generator.ts", import.meta.url));

/** Runs one load in a fresh process and returns what it measured. */
export async function load(job: LoadJob): Promise<LoadResult> {
  const { stdout } = await promisify(execFile)(process.execPath, [GENERATOR, JSON.stringify(job)], { maxBuffer: 1 << 20 });
  return JSON.parse(stdout) as LoadResult;
}

/** A whole HTTP/1.1 request as the generator sends it. */
export function rawRequest(method: string, path: string, headers: Readonly<Record<string, string>>, body = ""): string {
  const lines = Object.entries({ ...headers, ...(body === "" ? {} : { "content-length": String(Buffer.byteLength(body)) }) });
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n${body}`).toString(
    "base64",
  );
}
