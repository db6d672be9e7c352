import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { cpuMsOf } from "./processes.ts";

export interface BareServer {
  readonly port: number;
  cpuMs(): { readonly server: number };
  stop(): Promise<void>;
}

/** Starts the bare `node:http` server in a process of its own. */
export async function startBare(): Promise<BareServer> {
  const script = fileURLToPath(new URL("./bare-server.ts", import.meta.url));
  const child = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return {
    port: Number(line),
    cpuMs: () => ({ server: cpuMsOf(child.pid ?? 0) }),
    async stop() {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
    },
  };
}
