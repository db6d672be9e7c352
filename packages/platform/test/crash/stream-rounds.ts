/** The real server under clients of its streams: Kinesis and Kafka put and read, a function and windows take what is put. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Failpoint, randomBelow } from "../../src/base/index.ts";
import { CHECKS } from "./checks.ts";
import { inFolder, type OpenRound, type Round, type RoundOptions } from "./open-round.ts";
import { CACHE_FOLDER, type Failing } from "./power-layer.ts";
import { FAR_LINES, serverLife } from "./server-rounds.ts";
import { inspectStreams } from "./stream-inspect.ts";
import { useStreamsUntilKilled } from "./stream-load.ts";

/** A fault shows soon or not at all. */
const MUTATED_LINES = 160;
const MUTATE = fileURLToPath(new URL("mutate.ts", import.meta.url));

/** SIGKILL of the server at a random moment, mostly twice. */
export function streamsKillRound(options: RoundOptions, lives = 2): Promise<Round> {
  return inFolder("kill", options, inspectStreams, async (round) => {
    for (let life = 1; life <= lives; life++) await streamsLife(round, options, life, {});
    return round.end(await round.inspect());
  });
}

/** SIGKILL of the server inside a commit, and a life that goes on from there. */
export function streamsFailpointRound(options: RoundOptions, failpoint: Failpoint): Promise<Round> {
  return inFolder("failpoint", options, inspectStreams, async (round) => {
    const times = 60 + randomBelow(round.random, 150);
    const lines = await streamsLife(round, options, 1, { LAMBENT_FAILPOINT: `${failpoint}:${times}` });
    if (lines >= FAR_LINES) round.find(CHECKS.ends, `${failpoint} was not passed ${times} times`);
    await streamsLife(round, options, 2, {});
    return round.end(await round.inspect());
  });
}

/** The power of the server's machine is cut at random moments. */
export function streamsPowerRound(options: RoundOptions, cuts: number): Promise<Round> {
  return inFolder("power", options, inspectStreams, async (round) => {
    await streamsLife(round, options, 1, round.power());
    return round.end(await round.inspectCuts(cuts));
  });
}

export type StreamsFailure = "a full disk" | "a failed fsync of the log";

const FAILURES: Readonly<Record<StreamsFailure, Omit<Failing, "first">>> = {
  "a full disk": { call: "write", part: "store.db", count: 1_000_000, error: "ENOSPC" },
  "a failed fsync of the log": { call: "sync", part: "store.db-wal", count: 1, error: "EIO" },
};

/** The disk fails under the server, then its power is cut: what it acknowledged before is there. */
export function streamsFailureRound(options: RoundOptions, failure: StreamsFailure, cuts: number): Promise<Round> {
  return inFolder("failure", options, inspectStreams, async (round) => {
    const first = 150 + randomBelow(round.random, 300);
    await streamsLife(round, options, 1, round.power({ ...FAILURES[failure], first }));
    return round.end(await round.inspectCuts(cuts));
  });
}

function streamsLife(
  round: OpenRound,
  { seed, mutation }: RoundOptions,
  life: number,
  environment: Record<string, string>,
): Promise<number> {
  const mutated = mutation === undefined ? {} : { NODE_OPTIONS: `--import=${MUTATE}`, CRASH_MUTATION: mutation };
  const compiled = mutation === undefined ? {} : { NODE_COMPILE_CACHE: join(CACHE_FOLDER, "compiled", `server, ${mutation}`) };
  return serverLife(round, seed + life, { ...compiled, ...mutated, ...environment }, (server, ear, seedOfLife, lines) =>
    useStreamsUntilKilled(server, ear, seedOfLife, mutation === undefined ? lines : MUTATED_LINES),
  );
}
