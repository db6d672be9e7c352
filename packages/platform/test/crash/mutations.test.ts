import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Mutation, MUTATIONS, mutated } from "./mutations.ts";
import type { Round } from "./open-round.ts";
import { failureRound, killRound, powerRound } from "./rounds.ts";

const CUTS = 3;
/** Whether a fault shows depends on the moment of the end; without one these many tries find nothing. */
const TRIES_MAX = 8;

const MODES: Readonly<Record<Mutation["mode"], (seed: number, mutation: string) => Promise<Round>>> = {
  kill: (seed, mutation) => killRound({ seed, mutation }),
  power: (seed, mutation) => powerRound({ seed, mutation }, CUTS),
  "lying fsync": (seed, mutation) => failureRound({ seed, mutation }, "a failed fsync that succeeds when repeated", CUTS),
};

/** The rig against an engine with a fault put in: each fault is found by the check that is there for it. */
describe("a fault in the engine is found", () => {
  for (const [name, mutation] of Object.entries(MUTATIONS)) {
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
