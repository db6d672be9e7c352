/**
 * Memory of the server and all it started, as it rests: idle; with 100 functions that sleep; with 50 live instances of one of
 * them (provisioned, so that all live at once); and after these have gone.
 */
import { deployAll } from "../support/application.ts";
import { BenchServer } from "../support/server.ts";

export const SLEEPING_FUNCTIONS = 100;
export const LIVE_INSTANCES = 50;
const FUNCTION = { runtime: "nodejs24.x", files: { "index.mjs": 'export const handler = async () => ({ hello: "world" });\n' } };

export interface MemoryAt {
  readonly when: string;
  readonly pssMb: number;
  readonly serverPssMb: number;
  readonly privateMb: number;
  readonly processes: number;
}

/** All stages in order; the last two must have as many processes as the stages before the instances. */
export async function measureMemory(): Promise<readonly MemoryAt[]> {
  const server = await BenchServer.start({ args: ["--idle", "1"] });
  try {
    const stages: MemoryAt[] = [];
    const look = async (when: string): Promise<void> => {
      await server.until("no instance lives beside those wanted", ({ InstanceCount }) => InstanceCount === wanted);
      await server.poolIsReady();
      await server.isQuiet();
      stages.push({ when, ...server.memory() });
    };
    let wanted = 0;
    await look("idle");
    await deployAll(server, Object.fromEntries(Array.from({ length: SLEEPING_FUNCTIONS }, (_, index) => [`sleeper-${index}`, FUNCTION])));
    await look(`${SLEEPING_FUNCTIONS} functions that sleep`);
    await server.call("lambda", "POST", "/2015-03-31/functions/sleeper-0/versions", "{}");
    wanted = LIVE_INSTANCES;
    await server.call("lambda", "PUT", provisioned(), JSON.stringify({ ProvisionedConcurrentExecutions: LIVE_INSTANCES }));
    await look(`${LIVE_INSTANCES} live instances`);
    wanted = 0;
    await server.call("lambda", "DELETE", provisioned());
    await look("after the instances went");
    return stages;
  } finally {
    await server.stop();
  }
}

function provisioned(): string {
  return "/2019-09-30/functions/sleeper-0/provisioned-concurrency?Qualifier=1";
}
