/** The real server under clients of its buckets, who upload, overwrite, copy, delete, and hear of it. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Failpoint, randomBelow } from "../../src/base/index.ts";
import { CHECKS } from "./checks.ts";
import { inspectObjects } from "./object-inspect.ts";
import { useBucketsUntilKilled } from "./object-load.ts";
import { inFolder, type OpenRound, type Round, type RoundOptions } from "./open-round.ts";
import { CACHE_FOLDER, type Failing } from "./power-layer.ts";
import { FAR_LINES, serverLife } from "./server-rounds.ts";

/** A disk that refuses a body and takes the next one ends nobody. */
const FAILING_LINES = 300;
/** The call that fails is one of so many first ones. */
const FAILS_WITHIN = 12;
/** A fault shows soon or not at all. */
const MUTATED_LINES = 140;
const MUTATED_FILES = 3;
const MUTATE = fileURLToPath(new URL("mutate.ts", import.meta.url));

/** SIGKILL of the server at a random moment, mostly twice. */
export function objectsKillRound(options: RoundOptions, lives = 2): Promise<Round> {
  return inFolder("kill", options, inspectObjects, async (round) => {
    for (let life = 1; life <= lives; life++) await objectsLife(round, options, life, {});
    return round.end(await round.inspect());
  });
}

/** SIGKILL of the server between two effects of storing an object. */
export function objectsFailpointRound(options: RoundOptions, failpoint: Failpoint): Promise<Round> {
  return inFolder("failpoint", options, inspectObjects, async (round) => {
    const filesMax = options.mutation === undefined ? FAILS_WITHIN : MUTATED_FILES;
    const times = failpoint.startsWith("body.") ? 1 + randomBelow(round.random, filesMax) : 30 + randomBelow(round.random, 80);
    const lines = await objectsLife(round, options, 1, { LAMBENT_FAILPOINT: `${failpoint}:${times}` });
    if (lines >= FAR_LINES) round.find(CHECKS.ends, `${failpoint} was not passed ${times} times`);
    return round.end(await round.inspect());
  });
}

/** The power of the server's machine is cut at random moments. */
export function objectsPowerRound(options: RoundOptions, cuts: number): Promise<Round> {
  return inFolder("power", options, inspectObjects, async (round) => {
    await objectsLife(round, options, 1, round.power());
    return round.end(await round.inspectCuts(cuts));
  });
}

/** What fails of the disk under the objects' files. */
export type ObjectsFailure = "no room for files" | "a failed fsync of a file's folder" | "a failed write of a file";

const FAILURES: Readonly<Record<ObjectsFailure, Omit<Failing, "first">>> = {
  "no room for files": { call: "write", part: "/objects/", count: 60, error: "ENOSPC" },
  "a failed fsync of a file's folder": { call: "sync", part: "/objects/", count: 1, error: "EIO" },
  "a failed write of a file": { call: "write", part: "/objects/", count: 1, error: "EIO" },
};

/** The disk fails under the server, then its power is cut: what was refused is not there, and what was acknowledged is. */
export function objectsFailureRound(options: RoundOptions, failure: ObjectsFailure, cuts: number): Promise<Round> {
  return inFolder("failure", options, inspectObjects, async (round) => {
    const first = 1 + randomBelow(round.random, FAILS_WITHIN);
    await objectsLife(round, options, 1, round.power({ ...FAILURES[failure], first }), FAILING_LINES);
    return round.end(await round.inspectCuts(cuts));
  });
}

function objectsLife(
  round: OpenRound,
  { seed, mutation }: RoundOptions,
  life: number,
  environment: Record<string, string>,
  atLines = mutation === undefined ? undefined : MUTATED_LINES,
): Promise<number> {
  const mutated = mutation === undefined ? {} : { NODE_OPTIONS: `--import=${MUTATE}`, CRASH_MUTATION: mutation };
  const compiled = mutation === undefined ? {} : { NODE_COMPILE_CACHE: join(CACHE_FOLDER, "compiled", `server, ${mutation}`) };
  return serverLife(round, seed + life, { ...compiled, ...mutated, ...environment }, (server, ear, seedOfLife, lines) =>
    useBucketsUntilKilled(server, ear, seedOfLife, atLines ?? lines),
  );
}
