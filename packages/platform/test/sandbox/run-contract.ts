import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { invariant } from "../../src/base/index.ts";
import type { Mode, PropertyId, Verdict } from "./expectations.ts";

/** The user for whom the ordinary user's mode is shown when the tests run as root: Debian's `nobody`. */
const NOBODY = 65_534;
const PACKAGE = join(import.meta.dirname, "..", "..");

/** Runs the contract in its own process, as the user that the mode is about, and returns its verdicts. */
export async function contractVerdicts(mode: Mode): Promise<Readonly<Record<PropertyId, Verdict>>> {
  const asNobody = mode === "user" && process.getuid?.() === 0;
  using place = asNobody ? readablePackage() : { node: process.execPath, folder: PACKAGE, [Symbol.dispose]: () => {} };
  const child = spawn(place.node, [join(place.folder, "test/sandbox/contract-main.ts"), mode], {
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin" },
    // A high descriptor that nobody closed, as shells leave them: the contract says no instance inherits it.
    stdio: ["ignore", "pipe", "pipe", ...Array<"ignore">(21).fill("ignore")],
    ...(asNobody ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  let output = "";
  let complaint = "";
  child.stdout?.on("data", (piece: Buffer) => (output += piece.toString()));
  child.stderr?.on("data", (piece: Buffer) => (complaint += piece.toString()));
  await once(child, "close");
  invariant(child.exitCode === 0, `the contract did not run to its end in mode ${mode}: ${complaint}`);
  return JSON.parse(output) as Record<PropertyId, Verdict>;
}

/** The package where it stands when another user can read it, else (a checkout in root's home) a readable copy of what is needed. */
function readablePackage(): { readonly node: string; readonly folder: string } & Disposable {
  const readable = spawnSync(process.execPath, ["-e", `require("fs").readdirSync(${JSON.stringify(import.meta.dirname)})`], {
    uid: NOBODY,
    gid: NOBODY,
  });
  if (readable.status === 0) return { node: process.execPath, folder: PACKAGE, [Symbol.dispose]: () => {} };
  const folder = mkdtempSync(join(tmpdir(), "lambent-readable-"));
  chmodSync(folder, 0o755);
  writeFileSync(join(folder, "package.json"), '{"type":"module"}');
  mkdirSync(join(folder, "src"));
  for (const part of ["src/base", "src/sandbox", "test/sandbox"]) cpSync(join(PACKAGE, part), join(folder, part), { recursive: true });
  cpSync(process.execPath, join(folder, "node"));
  return { node: join(folder, "node"), folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}
