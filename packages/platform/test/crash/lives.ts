import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/base/index.ts";
import type { DriverPlan } from "./plan.ts";
import { CACHE_FOLDER } from "./power-layer.ts";

const DRIVER = fileURLToPath(new URL("driver.ts", import.meta.url));
const MUTATE = fileURLToPath(new URL("mutate.ts", import.meta.url));
/** A life that does not end by then hangs, which is a finding of its own. */
const LIFE_MS_MAX = 30_000;

export interface LifeOptions {
  readonly plan: DriverPlan;
  /** Kills it once it said so many lines. */
  readonly killAtLine?: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Name of a change to the engine, see `mutations.ts`. */
  readonly mutation?: string | undefined;
}

export interface Life {
  /** What it said on its standard output. */
  readonly said: string;
  /** `failed` with what it printed: it ended by itself and not well, or hung. */
  readonly ending: { readonly kind: "killed" | "closed" } | { readonly kind: "failed"; readonly why: string };
}

/** Runs a driver to its end, by itself or by us. */
export async function live({ plan, killAtLine, environment = {}, mutation }: LifeOptions): Promise<Life> {
  const { PATH, HOME } = process.env;
  const changed = {
    NODE_COMPILE_CACHE: join(CACHE_FOLDER, "compiled", mutation ?? "as it is"),
    ...(mutation === undefined ? {} : { CRASH_MUTATION: mutation }),
  };
  const loader = mutation === undefined ? [] : ["--import", MUTATE];
  const child = spawn(process.execPath, [...loader, DRIVER, JSON.stringify(plan)], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH, HOME, ...changed, ...environment },
  });
  let said = "";
  let lines = 0;
  let complaint = "";
  let hung = false;
  child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
  createInterface({ input: child.stdout }).on("line", (line) => {
    said += `${line}\n`;
    if (++lines === killAtLine) child.kill("SIGKILL");
  });
  const timer = systemClock.schedule(LIFE_MS_MAX, () => {
    hung = true;
    child.kill("SIGKILL");
  });
  const [code, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
  timer.cancel();
  if (hung) return { said, ending: { kind: "failed", why: `it did not end within ${LIFE_MS_MAX} ms, and said last: ${said.slice(-300)}` } };
  if (signal === "SIGKILL") return { said, ending: { kind: "killed" } };
  return {
    said,
    ending: code === 0 ? { kind: "closed" } : { kind: "failed", why: `it ended with ${code ?? signal}: ${complaint.slice(-2_000)}` },
  };
}
