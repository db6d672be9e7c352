/**
 * The ways in which the rig ends a process, each with what it shows. A round begins with an empty folder, has a few lives
 * on it and looks at what is left; all of it follows from its seed, except what the machine does with time.
 */
import { type Failpoint, randomBelow } from "../../src/base/index.ts";
import { CHECKS } from "./checks.ts";
import { inspect } from "./inspect.ts";
import { inFolder, LINES_MIN, type Round, type RoundOptions } from "./open-round.ts";
import type { Failing } from "./power-layer.ts";

const LIVES_MAX = 2;
/** Lines of a life that something else ends long before. */
const FAR_LINES = 2_000;

/** SIGKILL at a random moment, once or twice: the page cache survives it, so this is about order and recovery. */
export function killRound(options: RoundOptions): Promise<Round> {
  return inFolder("kill", options, inspect, async (round) => {
    const lives = 1 + randomBelow(round.random, LIVES_MAX);
    for (let life = 0; life < lives; life++) await round.life({ killAtLine: round.someLines() });
    return round.end(await round.inspect());
  });
}

/** SIGKILL between two effects of a commit, a body or an opening; often with a life behind it that goes on from there. */
export function failpointRound(options: RoundOptions, failpoint: Failpoint): Promise<Round> {
  return inFolder("failpoint", options, inspect, async (round) => {
    const once = failpoint === "store.made" || failpoint === "open.copied";
    const times = once ? 1 : 1 + randomBelow(round.random, /^(?:blob|body)\./.test(failpoint) ? 8 : 60);
    if (failpoint === "open.copied") await round.life({ killAtLine: round.someLines() });
    const lines = await round.life({ environment: { LAMBENT_FAILPOINT: `${failpoint}:${times}` }, killAtLine: FAR_LINES });
    if (lines >= FAR_LINES) round.find(CHECKS.ends, `${failpoint} was not passed ${times} times`);
    if (once || round.random.next() < 0.5) await round.life({ killAtLine: LINES_MIN });
    return round.end(await round.inspect());
  });
}

/** Power cuts at random moments of two lives: what was not synced is there or not by a coin. */
export function powerRound(options: RoundOptions, cuts: number): Promise<Round> {
  return inFolder("power", options, inspect, async (round) => {
    const environment = round.power();
    await round.life({ environment, lines: round.someLines(), how: round.random.next() < 0.5 ? "close" : "kill" });
    await round.life({ environment, lines: round.someLines(), how: "kill" });
    return round.end(await round.inspectCuts(cuts));
  });
}

/** Lines behind which the write-ahead log has begun anew, at 32 MiB, and checkpoints have been taken beside commits. */
const LONG_LINES = 6_000;

/** The same behind a long life, in which the write-ahead log was copied into the database and begun anew. */
export function longPowerRound(options: RoundOptions, cuts: number): Promise<Round> {
  return inFolder("power", options, inspect, async (round) => {
    await round.life({ environment: round.power(), lines: LONG_LINES, how: "kill" });
    return round.end(await round.inspectCuts(cuts));
  });
}

/** What fails, and how the rig makes it. */
export type Failure = "a full disk" | "a failed write" | "a failed fsync that succeeds when repeated" | "a failed fsync of a body's folder";

/** `within`: the call that fails is one of so many first ones. */
const FAILURES: Readonly<Record<Failure, Omit<Failing, "first"> & { readonly within: number }>> = {
  "a full disk": { call: "write", part: "store.db", count: 1_000_000, error: "ENOSPC", within: 200 },
  "a failed write": { call: "write", part: "store.db", count: 1, error: "EIO", within: 200 },
  "a failed fsync that succeeds when repeated": { call: "sync", part: "store.db-wal", count: 1, error: "EIO", within: 40 },
  "a failed fsync of a body's folder": { call: "sync", part: "blobs/", count: 1, error: "EIO", within: 12 },
};

/**
 * A write or an fsync fails: nothing may be acknowledged on it. Then the disk works again, a second life goes on, and
 * the power is cut: what the failed fsync dropped is found out then, because the page cache still had it until here.
 */
export function failureRound(options: RoundOptions, failure: Failure, cuts: number): Promise<Round> {
  return inFolder("failure", options, inspect, async (round) => {
    const { within, ...failing } = FAILURES[failure];
    const first = 1 + randomBelow(round.random, within);
    await round.life({ environment: round.power({ ...failing, first }), lines: FAR_LINES, how: "kill" });
    if (!round.history.stopped) round.find(CHECKS.ends, "a call failed and the store did not stop");
    await round.life({ environment: round.power(), lines: round.someLines(), how: "kill" });
    return round.end(await round.inspectCuts(cuts));
  });
}
