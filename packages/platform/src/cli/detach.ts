import { spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CommandContext } from "./command.ts";
import { CommandFailure } from "./errors.ts";
import { runFolderPath } from "./run-folder.ts";

/**
 * Starts the server as a process of its own and waits until it says that it is ready. Its output goes to a file in
 * the run-time folder; what it said until then is printed here.
 */
export async function detach(context: CommandContext, port: number): Promise<void> {
  const folder = runFolderPath(context.environment);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const log = join(folder, `server-${port === 0 ? `of-${process.pid}` : port}.log`);
  const descriptor = openSync(log, "w", 0o600);
  const [node = process.execPath, main = "", ...args] = process.argv;
  const child = spawn(node, [...process.execArgv, main, ...args.filter((each) => each !== "-d" && each !== "--detach")], {
    detached: true,
    stdio: ["ignore", descriptor, descriptor, "ipc"],
  });
  closeSync(descriptor);
  const ending = await new Promise<"ready" | number>((resolve) => {
    child.once("message", () => resolve("ready"));
    child.once("exit", (code) => resolve(code ?? 1));
  });
  const said = readFileSync(log, "utf8").trimEnd();
  if (ending !== "ready")
    throw new CommandFailure(
      "failed",
      said.split("\n")[0]?.replace(/^lambent: /u, "") || `The server ended with ${ending}.`,
      said.split("\n")[1]?.trim() ?? `Its output is in ${log}`,
    );
  child.unref();
  context.output.note(`  In the background as process ${child.pid ?? 0}; its output goes to ${log}; \`lambent stop\` ends it.`);
  context.output.line(said);
}
