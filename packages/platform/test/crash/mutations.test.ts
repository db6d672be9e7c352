import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { findMutation, isForLongRigs } from "./finding-mutations.ts";
import { MUTATIONS, mutated } from "./mutations.ts";

describe("a fault in the engine is found", () => {
  for (const [name, mutation] of Object.entries(MUTATIONS).filter(([, each]) => !isForLongRigs(each)))
    it(`${name}: by "${mutation.foundBy}"`, () => findMutation(name, mutation));

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
