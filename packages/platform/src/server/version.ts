import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The version in the nearest package.json above this file: the same from the checkout and from the built package. */
export function platformVersion(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const found = read(join(folder, "package.json"));
    if (found?.version !== undefined) return found.version;
  }
  return "0.0.0";
}

function read(path: string): { readonly version?: string } | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as { version?: string };
  } catch {
    return undefined;
  }
}
