import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { CreateFunctionCommand, type CreateFunctionCommandInput, LambdaClient, LambdaServiceException } from "@aws-sdk/client-lambda";
import { lambdaWireError } from "../../src/api/lambda/errors.ts";
import { lambdaOperations } from "../../src/api/lambda/operations.ts";
import { systemSecureRandom } from "../../src/base/index.ts";
import { openQueues } from "../../src/queues/index.ts";
import { openSources } from "../../src/sources/index.ts";
import { loadService } from "../../src/wire/index.ts";
import { serveServices, TEST_KEY, testSecurity } from "./api-client.ts";
import { FunctionsWorld, REALM, ROLE_ARN } from "./functions-world.ts";
import { zipOf } from "./zips.ts";

/** The function that `create` makes unless told otherwise. */
export const FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:hello";

/** Lambda's management operations on a real socket, and the SDK's own client for them. */
export async function startLambda(test: TestContext) {
  const world = await FunctionsWorld.open(test);
  const ready = { instances: 0 };
  const role = { mayRead: true };
  const { clock, store, functions } = world;
  const onProblem = (error: unknown): void => void world.problems.push(error);
  const queues = await openQueues({ store, clock, secureRandom: systemSecureRandom, onProblem });
  const sources = await openSources({
    store,
    clock,
    secureRandom: systemSecureRandom,
    queues,
    functions,
    onProblem,
    mayRead: () => role.mayRead,
    invoker: { invoke: () => assert.fail("a management test calls no function"), free: () => 0, onceFree: () => undefined },
  });
  const operations = lambdaOperations({
    functions,
    sources,
    defaultRealm: REALM,
    codeLocation: (code, context) => `${context.endpoint}/code/${encodeURIComponent(code.sha256)}`,
    code: { buckets: () => assert.fail("a management test reads no bucket"), authorize: () => undefined },
    instancesReady: () => ready.instances,
  });
  const service = { model: loadService("lambda"), operations, wireError: lambdaWireError, permission: () => undefined };
  const endpoint = await serveServices(test, [service], await testSecurity(test));
  const client = new LambdaClient({ endpoint, region: "us-east-1", credentials: TEST_KEY, maxAttempts: 1 });
  test.after(() => client.destroy());
  const create = async (changed: Partial<CreateFunctionCommandInput> = {}) => {
    const made = await client.send(
      new CreateFunctionCommand({
        FunctionName: "hello",
        Runtime: "nodejs22.x",
        Handler: "index.handler",
        Role: ROLE_ARN,
        Code: { ZipFile: await zipOf({ "index.mjs": "1" }) },
        ...changed,
      }),
    );
    await world.functions.settled();
    return made;
  };
  return { world, client, create, ready, role, queues, sources };
}

/** What the client throws for an error of this name. */
export const refused =
  (name: string, status: number, message: RegExp) =>
  (error: unknown): true => {
    assert.ok(error instanceof LambdaServiceException, String(error));
    assert.deepEqual([error.name, error.$metadata.httpStatusCode], [name, status]);
    assert.match(error.message, message);
    return true;
  };
/** A member that must be there. */
export const known = <T>(value: T | undefined): T => value ?? assert.fail("a member is missing");
