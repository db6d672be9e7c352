import { watch } from "node:fs";
import { systemClock } from "../../base/index.ts";
import type { GetStatusResponse } from "../../api/index.ts";
import { LAMBENT_PATHS } from "../lambent-api.ts";
import type { Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { isAlive, runFolderPath } from "../run-folder.ts";

/** A server drains for at most this long before `stop` says that it still runs. */
const STOP_WAIT_MS_MAX = 60_000;
/** Between looks at a process that is ending: there is no event for a process that is not a child. */
const LOOK_MS = 50;

/** `lambent stop`: asks the server who it is, sends it SIGTERM, waits until it is gone. */
export const run: Run<object> = async ({ output, client, environment }) => {
  const { Pid: pid } = await client().json<GetStatusResponse>({ service: "lambent", method: "GET", path: LAMBENT_PATHS.status });
  if (!isAlive(pid))
    throw new CommandFailure("failed", `The server is process ${pid}, which is not on this machine.`, "Stop it where it runs.");
  process.kill(pid, "SIGTERM");
  if (!(await gone(pid, runFolderPath(environment))))
    throw new CommandFailure(
      "tryAgain",
      `Process ${pid} still drains after ${STOP_WAIT_MS_MAX / 1_000} s.`,
      `Wait, or end it at once: kill -9 ${pid}`,
    );
  if (output.json) output.data({ Stopped: pid });
  else output.line(`  stopped (process ${pid})`);
};

/** The watcher keeps this process alive while timers, which do not, run. */
async function gone(pid: number, folder: string): Promise<boolean> {
  const watcher = watch(folder);
  const begunMs = systemClock.monotonicMs();
  const ended = await new Promise<boolean>((resolve) => {
    const look = (): void => {
      if (!isAlive(pid)) return resolve(true);
      if (systemClock.monotonicMs() - begunMs > STOP_WAIT_MS_MAX) return resolve(false);
      systemClock.schedule(LOOK_MS, look);
    };
    look();
  });
  watcher.close();
  return ended;
}
