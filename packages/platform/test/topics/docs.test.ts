/** The examples of filter policies in docs/topics.md do what they say, and the delivery policy there waits as it says. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { subscriptionPolicyOf } from "../../src/api/sns/delivery-policies.ts";
import { waitsOf } from "../../src/topics/delivery-policy.ts";
import { compileFilter, type FilteredMessage } from "../../src/topics/filter.ts";

const document = readFileSync(new URL("../../../../docs/topics.md", import.meta.url), "utf8");
const LINE = /^(?<outcome>takes|does not take) +(?<message>\{.*\})$/u;
const OPERATORS = ["prefix", "suffix", "equals-ignore-case", "numeric", "anything-but", "exists", "cidr", "$or"];

/** The lines of each fenced block of one kind. */
const blocksOf = (kind: string): string[][] =>
  [...document.matchAll(new RegExp(`^\`\`\`${kind}\\n(.*?)\\n\`\`\`$`, "gmsu"))].map(([, lines = ""]) => lines.split("\n"));

/** Attributes as somebody would publish these values. */
function attributesOf(values: object): FilteredMessage["attributes"] {
  const entries = Object.entries(values).map(([name, value]: [string, unknown]) => {
    if (Array.isArray(value)) return [name, { type: "String.Array", value: JSON.stringify(value) }] as const;
    return [name, { type: typeof value === "number" ? "Number" : "String", value: String(value) }] as const;
  });
  return Object.fromEntries(entries);
}

for (const [kind, scope] of [
  ["filter", "MessageAttributes"],
  ["body filter", "MessageBody"],
] as const) {
  for (const [policy = "", ...lines] of blocksOf(kind)) {
    test(`docs/topics.md: ${policy}`, () => {
      const filter = compileFilter(policy, scope);
      const seen = new Set<string>();
      for (const line of lines) {
        const { outcome = "", message = "" } = LINE.exec(line)?.groups ?? {};
        seen.add(outcome);
        const attributes = scope === "MessageAttributes" ? attributesOf(JSON.parse(message) as object) : {};
        assert.equal(filter?.({ body: message, attributes }), outcome === "takes", line);
      }
      assert.deepEqual([...seen].toSorted(), ["does not take", "takes"], "an example shows what is taken and what is not");
    });
  }
}

test("docs/topics.md has an example of every operator", () => {
  const policies = blocksOf("filter").map(([policy = ""]) => policy);
  for (const operator of OPERATORS)
    assert.ok(
      policies.some((policy) => policy.includes(`"${operator}":`)),
      operator,
    );
});

test("docs/topics.md: the delivery policy has the phases that stand beside it", () => {
  const [example = ""] = /\{"minDelayTarget": 1,[^}]*\}/u.exec(document) ?? [];
  const policy = subscriptionPolicyOf(`{"healthyRetryPolicy": ${example}}`)?.healthyRetryPolicy;
  assert.ok(policy);
  const waits = waitsOf(policy);
  const times = (wait: number): number => waits.filter((each) => each === wait).length;
  // The first and the last of the ten growing ones are 1 s and 60 s, too.
  assert.deepEqual([times(0), times(1_000), times(60_000), waits.length], [3, 3, 36, 50]);
});
