/** The same with the real server, `lambent start`, and clients of SQS, Lambda and EventBridge that speak to it over HTTP. */
import { dirname } from "node:path";
import { type Failpoint, randomBelow } from "../../src/base/index.ts";
import { RigServer } from "../long/rig.ts";
import { CHECKS } from "./checks.ts";
import { inFolder, type OpenRound, type Round, type RoundOptions } from "./open-round.ts";
import { CACHE_FOLDER } from "./power-layer.ts";
import { inspectServer } from "./server-inspect.ts";
import { type Ear, earOf, useUntilKilled } from "./server-load.ts";

const LINES_MIN = 60;
const LINES_MAX = 200;
const SERVER_ARGUMENTS = ["--pool", "0", "--sandbox", "process", "--kafka-port", "0"];
/** Lines of a life that something else ends long before. */
export const FAR_LINES = 2_000;

/** SIGKILL of the server at a random moment, twice. */
export function serverKillRound(options: RoundOptions): Promise<Round> {
  return inFolder("kill", options, inspectServer, async (round) => {
    for (let life = 1; life <= 2; life++) await serverLife(round, options.seed + life, {});
    return round.end(await round.inspect());
  });
}

/** SIGKILL of the server inside a commit. */
export function serverFailpointRound(options: RoundOptions, failpoint: Failpoint): Promise<Round> {
  return inFolder("failpoint", options, inspectServer, async (round) => {
    const times = 20 + randomBelow(round.random, 60);
    const lines = await serverLife(round, options.seed + 1, { LAMBENT_FAILPOINT: `${failpoint}:${times}` });
    if (lines >= FAR_LINES) round.find(CHECKS.ends, `${failpoint} was not passed ${times} times`);
    return round.end(await round.inspect());
  });
}

/** The power of the server's machine is cut at random moments. */
export function serverPowerRound(options: RoundOptions, cuts: number): Promise<Round> {
  return inFolder("power", options, inspectServer, async (round) => {
    await serverLife(round, options.seed + 1, round.power());
    return round.end(await round.inspectCuts(cuts));
  });
}

/** The disk under the server gets full: it refuses what it cannot keep, naming the reason, and what it acknowledged before is there. */
export function serverFailureRound(options: RoundOptions, cuts: number): Promise<Round> {
  return inFolder("failure", options, inspectServer, async (round) => {
    const first = 100 + randomBelow(round.random, 300);
    await serverLife(round, options.seed + 1, round.power({ call: "write", part: "store.db", first, count: 1_000_000, error: "ENOSPC" }));
    return round.end(await round.inspectCuts(cuts));
  });
}

/** One life of the server under clients; resolves with how much they said. */
export async function serverLife(
  round: OpenRound,
  seed: number,
  environment: Readonly<Record<string, string>>,
  use: (server: RigServer, ear: Ear, seed: number, lines: number) => Promise<void> = useUntilKilled,
): Promise<number> {
  const powerLog = "POWER_LOG" in environment ? { log: round.powerLog, journal: round.journalFile } : undefined;
  const compiled = { NODE_COMPILE_CACHE: `${CACHE_FOLDER}/compiled/server` };
  // A failpoint ends it by itself, a disk that fails its clients, long before.
  const endsItself = "LAMBENT_FAILPOINT" in environment || "POWER_FAIL" in environment;
  const lines = endsItself ? FAR_LINES : LINES_MIN + randomBelow(round.random, LINES_MAX - LINES_MIN);
  const ear = earOf(round.history, powerLog);
  try {
    const server = await RigServer.startIn(dirname(round.folder), { ...compiled, ...environment }, ...SERVER_ARGUMENTS);
    await use(server, ear, seed, lines);
    round.killed();
    const fails = "POWER_FAIL" in environment;
    if ((round.history.stopped || round.history.objects.hasRefused) !== fails)
      round.find(CHECKS.ends, fails ? "the disk failed and nothing was refused" : "the storage stopped by itself");
  } catch (error) {
    round.find(CHECKS.opens, `the server: ${error instanceof Error ? error.message : String(error)}`);
  }
  return ear.lines;
}
