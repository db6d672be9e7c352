/** boto3, unmodified: every operation of Lambda that is built, and of the other services what deploy tools use. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { loadService } from "../../../src/wire/index.ts";
import { checkGolden } from "../../support/golden.ts";
import { type CaseEnding, runPythonCases } from "../../support/python-cases.ts";
import { type RecordedService, SERVICES, startRecordedServer } from "../../support/recorder.ts";

const { server, recorder } = await startRecordedServer();

/** Runs the service's cases in one Python process; how each ended. */
const runCases = (service: RecordedService): Promise<readonly CaseEnding[]> =>
  runPythonCases(fileURLToPath(new URL(`run_${service}.py`, import.meta.url)), { ...server.clientEnvironment, RECORDER_URL: recorder.url });

for (const service of SERVICES) {
  describe(`${service} by boto3`, () => {
    test("each operation does what it says, and is refused by the client's own error", async (context) => {
      const told = await runCases(service);
      assert.ok(told.length > 0);
      for (const { operation, status, error } of told) {
        await context.test(operation, () => {
          assert.ok(error === null, error ?? "");
          const seen = recorder.exchanges.filter((exchange) => exchange.service === service && exchange.operation === operation);
          assert.ok(
            seen.some(({ response }) => response.status < 300),
            `no ${operation} succeeded over the wire`,
          );
          assert.ok(status === null || seen.some(({ response }) => response.status === status), `no ${operation} was refused`);
        });
      }
    });

    test("what was said and answered is as in the golden file", () => {
      checkGolden("boto3", boto3Version(), service, recorder.exchanges);
    });
  });
}

test("boto3 has a case for every operation of Lambda that the SDK for JavaScript has one for", async () => {
  const { lambdaCases } = await import("../javascript/lambda-cases.ts");
  const seen = new Set(
    recorder.exchanges.filter(({ service, response }) => service === "lambda" && response.status < 300).map(({ operation }) => operation),
  );
  assert.deepEqual(
    [...loadService("lambda").operations.keys()].filter((name) => name in lambdaCases && !seen.has(name)),
    [],
  );
});

let version: string | undefined;
function boto3Version(): string {
  version ??= execFileSync("python3", ["-c", "import boto3; print('boto3', boto3.__version__)"], {
    encoding: "utf8",
    env: server.clientEnvironment,
  }).trim();
  return version;
}
