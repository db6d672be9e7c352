import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { compilePattern, PatternSet } from "../../src/patterns/index.ts";

const document = readFileSync(new URL("../../../../docs/events.md", import.meta.url), "utf8");

/** The lines of each fenced block of one kind. */
const blocksOf = (kind: string): string[][] =>
  [...document.matchAll(new RegExp(`^\`\`\`${kind}\\n(.*?)\\n\`\`\`$`, "gmsu"))].map(([, lines = ""]) => lines.split("\n"));

const OUTCOME = /^(?<outcome>matches|does not match) +(?<event>\{.*\})$/u;
const OPERATORS = ["prefix", "suffix", "equals-ignore-case", "wildcard", "numeric", "anything-but", "exists", "cidr", "$or"];
const examples = blocksOf("pattern");

for (const [pattern = "", ...outcomes] of examples) {
  test(`docs/events.md: ${pattern}`, () => {
    const set = new PatternSet<string>();
    set.add(pattern, pattern);
    const seen = new Set<string>();
    for (const line of outcomes) {
      const { outcome = "", event = "" } = OUTCOME.exec(line)?.groups ?? {};
      seen.add(outcome);
      const expected = outcome === "matches";
      assert.equal(compilePattern(JSON.parse(pattern)).matches(JSON.parse(event)), expected, line);
      assert.equal(set.matches(JSON.parse(event)).length === 1, expected, line);
    }
    assert.deepEqual([...seen].toSorted(), ["does not match", "matches"], "an example shows what matches and what does not");
  });
}

for (const [pattern = "", message = ""] of blocksOf("refused")) {
  test(`docs/events.md: ${pattern} is refused`, () => {
    assert.throws(() => compilePattern(JSON.parse(pattern)), { code: "InvalidPattern", message });
  });
}

test("docs/events.md has an example of every operator", () => {
  for (const operator of OPERATORS)
    assert.ok(
      examples.some(([pattern = ""]) => pattern.includes(`"${operator}":`)),
      operator,
    );
  assert.ok(blocksOf("refused").length > 0);
});
