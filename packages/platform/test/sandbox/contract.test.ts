import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { expected, isolationTable, MODE_TITLES, MODES, PROPERTY_IDS, type Mode } from "./expectations.ts";
import { contractVerdicts } from "./run-contract.ts";

const isRoot = process.getuid?.() === 0;

/** Root shows all modes; an ordinary user can show neither root's nor the zygote's fork. */
const shown: readonly Mode[] = isRoot ? MODES : ["user", "process"];

for (const mode of shown) {
  test(`P3: attacks fail and limits act as documented: ${MODE_TITLES[mode]}`, async (context: TestContext) => {
    const verdicts = await contractVerdicts(mode);
    // Without root a plain process is kept from more than the table says, by the user's own rights.
    const exact = isRoot || mode !== "process";
    for (const id of PROPERTY_IDS) {
      const wanted = expected(id, mode);
      if (exact || wanted === "held") assert.equal(verdicts[id], wanted, `${id} in mode ${mode}`);
    }
    context.diagnostic(`${PROPERTY_IDS.length} properties, ${PROPERTY_IDS.filter((id) => verdicts[id] === "held").length} held`);
  });
}

test("as root in CI every mode is shown", (context: TestContext) => {
  if (!isRoot) context.diagnostic("not run here: the modes of root (start the tests as root to show them)");
  assert.ok(isRoot || process.env["CI"] !== "true", "CI shows the modes of root and must run as root");
});

test("docs/isolation.md shows the table that the contract suite proves", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../../docs/isolation.md"), "utf8");
  assert.ok(page.includes(isolationTable()), `docs/isolation.md must contain exactly:\n${isolationTable()}`);
});
