/** The crash rig against a server or an engine with a fault put in: each is to be found by the check that is there for it. */
import assert from "node:assert/strict";
import type { Mutation } from "./mutations.ts";
import { objectsFailpointRound, objectsKillRound } from "./object-rounds.ts";
import type { Round } from "./open-round.ts";
import { failureRound, killRound, powerRound } from "./rounds.ts";
import { streamsFailpointRound, streamsKillRound } from "./stream-rounds.ts";

const CUTS = 3;
/** Whether a fault shows depends on the moment of the end; without one these many tries find nothing. */
const TRIES_MAX = 16;

const MODES: Readonly<Record<Mutation["mode"], (seed: number, mutation: string) => Promise<Round>>> = {
  kill: (seed, mutation) => killRound({ seed, mutation }),
  power: (seed, mutation) => powerRound({ seed, mutation }, CUTS),
  "objects, kill": (seed, mutation) => objectsKillRound({ seed, mutation }, 1),
  "objects, a named file": (seed, mutation) => objectsFailpointRound({ seed, mutation }, "body.named"),
  "streams, kill": (seed, mutation) => streamsKillRound({ seed, mutation }, 1),
  // What the first life did is repeated by the second: whoever looks at the end has no faults.
  "streams, two kills": (seed, mutation) => streamsKillRound({ seed, mutation }, 2),
  "streams, a lost answer": (seed, mutation) => streamsFailpointRound({ seed, mutation }, "commit.told"),
  "lying fsync": (seed, mutation) => failureRound({ seed, mutation }, "a failed fsync that succeeds when repeated", CUTS),
};

/** Rounds until the check finds the fault. Throws where none does. */
export async function findMutation(name: string, mutation: Mutation): Promise<void> {
  const found = new Set<string>();
  for (let seed = 1; seed <= TRIES_MAX && !found.has(mutation.foundBy); seed++) {
    const { findings } = await MODES[mutation.mode](seed, name);
    for (const { check, what } of findings) {
      assert.doesNotMatch(what, /has not exactly once/u, "the fault fits the engine's text");
      found.add(check);
    }
  }
  assert.ok(
    found.has(mutation.foundBy),
    `${name} is to be found by "${mutation.foundBy}"; found instead: ${[...found].join(", ") || "nothing"}`,
  );
}

/** Faults in what the server does with objects and streams: each takes seconds, so most of them are looked for by the long rigs. */
export function isForLongRigs({ mode, isQuick = false }: Mutation): boolean {
  return /^(?:objects|streams),/u.test(mode) && !isQuick;
}
