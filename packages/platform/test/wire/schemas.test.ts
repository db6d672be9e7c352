import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { AWS_SERVICES, loadService } from "../../src/wire/index.ts";
import type { Shape } from "../../src/wire/schema.ts";

const SCRIPT = fileURLToPath(new URL("../../../../scripts/extract-schemas.ts", import.meta.url));
const SOURCES_MISSING = 3;

describe("the committed schemas", () => {
  test("are what their pinned sources give", (context) => {
    const { status, stderr } = spawnSync(process.execPath, [SCRIPT, "--check"], {
      encoding: "utf8",
      env: { ...process.env, AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true" },
    });
    if (status === SOURCES_MISSING && process.env["CI"] !== "true") {
      context.diagnostic(`not compared: ${stderr.trim()}`);
      return;
    }
    assert.equal(status, 0, stderr);
  });

  for (const service of AWS_SERVICES) {
    test(`of ${service} can be revived whole: every reference leads to a shape, every pattern compiles`, () => {
      const model = loadService(service);
      const seen = new Set<Shape>();
      const visit = (shape: Shape): void => {
        if (seen.has(shape)) return;
        seen.add(shape);
        if (shape.kind === "list") visit(shape.value.shape);
        if (shape.kind === "map") [shape.key, shape.value].forEach((member) => visit(member.shape));
        if (shape.kind !== "structure") return;
        for (const member of shape.members) {
          assert.ok(member.rule?.pattern === undefined || member.rule.pattern.whole instanceof RegExp);
          visit(member.shape);
        }
      };
      for (const operation of model.operations.values()) [operation.input, operation.output].forEach((shape) => shape && visit(shape));
      for (const name of model.errorNames) visit(model.error(name) ?? assert.fail(name));
      assert.ok(seen.size > 40);
    });
  }
});
