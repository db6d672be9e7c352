import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Mutation, MUTATIONS, mutated } from "./mutations.ts";
import { objectsFailpointRound, objectsKillRound } from "./object-rounds.ts";
import type { Round } from "./open-round.ts";
import { failureRound, killRound, powerRound } from "./rounds.ts";

const CUTS = 3;
/** Whether a fault shows depends on the moment of the end; without one these many tries find nothing. */
const TRIES_MAX = 16;

/** Faults of the server that are looked for at once: each is a process that works, or one that looks. */
const AT_ONCE = 2;

const MODES: Readonly<Record<Mutation["mode"], (seed: number, mutation: string) => Promise<Round>>> = {
  kill: (seed, mutation) => killRound({ seed, mutation }),
  power: (seed, mutation) => powerRound({ seed, mutation }, CUTS),
  "objects, kill": (seed, mutation) => objectsKillRound({ seed, mutation }, 1),
  "objects, a named file": (seed, mutation) => objectsFailpointRound({ seed, mutation }, "body.named"),
  "lying fsync": (seed, mutation) => failureRound({ seed, mutation }, "a failed fsync that succeeds when repeated", CUTS),
};

/** The rig against an engine with a fault put in: each fault is found by the check that is there for it. */
function findEach(mutations: readonly (readonly [name: string, mutation: Mutation])[]): void {
  for (const [name, mutation] of mutations) {
    it(`${name}: by "${mutation.foundBy}"`, async () => {
      const found = new Set<string>();
      for (let seed = 1; seed <= TRIES_MAX && !found.has(mutation.foundBy); seed++) {
        const { findings } = await MODES[mutation.mode](seed, name);
        for (const { check, what } of findings) {
          assert.doesNotMatch(what, /has not exactly once/u, "the fault fits the engine's text");
          found.add(check);
        }
      }
      assert.ok(found.has(mutation.foundBy), `found instead: ${[...found].join(", ") || "nothing"}`);
    });
  }
}

const isOfObjects = ({ mode }: Mutation): boolean => mode.startsWith("objects");

describe("a fault in what the server does with objects is found", { concurrency: AT_ONCE }, () => {
  findEach(Object.entries(MUTATIONS).filter(([, mutation]) => isOfObjects(mutation)));
});

describe("a fault in the engine is found", () => {
  findEach(Object.entries(MUTATIONS).filter(([, mutation]) => !isOfObjects(mutation)));

  it("docs/durability.md lists them all, and the check that finds each", () => {
    const page = readFileSync(fileURLToPath(new URL("../../../../docs/durability.md", import.meta.url)), "utf8");
    const table = page.slice(page.indexOf("| fault | found by |")).split("\n\n")[0] ?? "";
    const rows = Object.entries(MUTATIONS).map(([name, { foundBy }]) => `| ${name} | ${foundBy} |`);
    assert.deepEqual(table.split("\n").slice(2), rows);
  });

  it("each is a change of text that is there once", () => {
    for (const mutation of Object.values(MUTATIONS)) {
      const text = readFileSync(fileURLToPath(new URL(`../../src${mutation.module}`, import.meta.url)), "utf8");
      assert.notEqual(mutated(mutation, text), text);
    }
  });
});
