import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { isLambdaError, lambdaWireError } from "../../../src/api/lambda/errors.ts";
import { ERROR_CATALOGUE, LambentError, type ErrorCode } from "../../../src/base/index.ts";
import { loadService } from "../../../src/wire/index.ts";

const SOURCE = join(import.meta.dirname, "../../../src");

/** Every code that a part on the way of Lambda's operations throws, read from the source. */
function codesThrownIn(...folders: readonly string[]): ErrorCode[] {
  const codes = new Set<string>();
  for (const folder of folders) {
    for (const file of readdirSync(join(SOURCE, folder), { recursive: true, encoding: "utf8" })) {
      if (!file.endsWith(".ts")) continue;
      const text = readFileSync(join(SOURCE, folder, file), "utf8");
      for (const [, code] of text.matchAll(/new LambentError\(\s*"(\w+)"/g)) codes.add(code ?? "");
    }
  }
  return [...codes].toSorted() as ErrorCode[];
}

describe("errors of Lambda's API", () => {
  it("every code that functions/ and api/lambda/ throw has a name of Lambda's", () => {
    const codes = codesThrownIn("functions", "api/lambda", "invoker");
    assert.ok(codes.length > 10, codes.join());
    for (const code of codes) assert.ok(isLambdaError(code), `${code} has no name in api/lambda/errors.ts`);
  });

  it("every name is a shape of Lambda's with the same side at fault, or brings a status of its own", () => {
    const model = loadService("lambda");
    for (const code of Object.keys(ERROR_CATALOGUE) as ErrorCode[]) {
      const error = lambdaWireError(new LambentError(code, "message"));
      const shape = model.error(error.name);
      assert.ok(shape !== undefined || error.status !== undefined, `${code} → ${error.name}: neither shape nor status`);
      assert.ok(shape === undefined || error.status === undefined, `${error.name} is a shape; its status is the shape's`);
      assert.equal(error.members?.["Type"], ERROR_CATALOGUE[code].fault === "caller" ? "User" : "Server");
    }
  });

  it("a throttle says which limit", () => {
    const named = lambdaWireError(
      new LambentError("Throttled", "Rate Exceeded.", { Reason: "ReservedFunctionConcurrentInvocationLimitExceeded" }),
    );
    assert.deepEqual(
      [named.name, named.members?.["Reason"]],
      ["TooManyRequestsException", "ReservedFunctionConcurrentInvocationLimitExceeded"],
    );
    assert.equal(lambdaWireError(new LambentError("StorageBusy", "later")).members?.["Reason"], "CallerRateLimitExceeded");
  });
});
