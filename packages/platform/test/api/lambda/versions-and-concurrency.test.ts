import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  CreateAliasCommand,
  DeleteAliasCommand,
  DeleteFunctionConcurrencyCommand,
  DeleteProvisionedConcurrencyConfigCommand,
  GetAccountSettingsCommand,
  GetAliasCommand,
  GetFunctionCommand,
  GetFunctionConcurrencyCommand,
  GetFunctionConfigurationCommand,
  GetProvisionedConcurrencyConfigCommand,
  ListAliasesCommand,
  ListProvisionedConcurrencyConfigsCommand,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
  UpdateAliasCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { REALM } from "../../support/functions-world.ts";
import { FUNCTION_ARN, known, refused, startLambda } from "../../support/lambda-api.ts";

describe("Lambda's API: versions and aliases", () => {
  it("publish, point, shift and read back", async (test) => {
    const { client, create, world } = await startLambda(test);
    await create();
    const one = await client.send(new PublishVersionCommand({ FunctionName: "hello", Description: "first" }));
    assert.deepEqual(
      [one.Version, one.FunctionArn, one.Description, one.$metadata.httpStatusCode],
      ["1", `${FUNCTION_ARN}:1`, "first", 201],
    );
    await client.send(new UpdateFunctionConfigurationCommand({ FunctionName: "hello", MemorySize: 256 }));
    await world.functions.settled();
    await client.send(new PublishVersionCommand({ FunctionName: "hello" }));
    const alias = await client.send(
      new CreateAliasCommand({
        FunctionName: "hello",
        Name: "live",
        FunctionVersion: "1",
        RoutingConfig: { AdditionalVersionWeights: { "2": 0.25 } },
      }),
    );
    assert.deepEqual([alias.AliasArn, alias.RoutingConfig], [`${FUNCTION_ARN}:live`, { AdditionalVersionWeights: { "2": 0.25 } }]);
    assert.deepEqual(
      world.functions.find(REALM, "hello", "live").versions.map(({ version, weight }) => [version.version, weight]),
      [
        ["1", 0.75],
        ["2", 0.25],
      ],
    );
    const updated = await client.send(
      new UpdateAliasCommand({
        FunctionName: "hello",
        Name: "live",
        FunctionVersion: "2",
        RoutingConfig: {},
        RevisionId: known(alias.RevisionId),
      }),
    );
    assert.deepEqual([updated.FunctionVersion, updated.RoutingConfig], ["2", undefined]);
    await assert.rejects(
      client.send(new UpdateAliasCommand({ FunctionName: "hello", Name: "live", RevisionId: known(alias.RevisionId) })),
      refused("PreconditionFailedException", 412, /Revision Id/),
    );
    assert.equal((await client.send(new GetFunctionConfigurationCommand({ FunctionName: "hello", Qualifier: "live" }))).MemorySize, 256);
    assert.deepEqual((await client.send(new ListAliasesCommand({ FunctionName: "hello", FunctionVersion: "1" }))).Aliases, []);
    assert.deepEqual(
      (await client.send(new ListAliasesCommand({ FunctionName: "hello" }))).Aliases?.map((each) => each.Name),
      ["live"],
    );
    const versions = await client.send(new ListVersionsByFunctionCommand({ FunctionName: "hello" }));
    assert.deepEqual(
      versions.Versions?.map((each) => each.Version),
      ["$LATEST", "1", "2"],
    );
    await client.send(new DeleteAliasCommand({ FunctionName: "hello", Name: "live" }));
    await assert.rejects(
      client.send(new GetAliasCommand({ FunctionName: "hello", Name: "live" })),
      refused("ResourceNotFoundException", 404, /alias/),
    );
    await assert.rejects(
      client.send(new CreateAliasCommand({ FunctionName: "hello", Name: "x", FunctionVersion: "9" })),
      refused("ResourceNotFoundException", 404, /function:hello:9/),
    );
  });
});

describe("Lambda's API: concurrency", () => {
  it("reservations are kept, counted and given back", async (test) => {
    const { client, create } = await startLambda(test);
    await create();
    await client.send(new PutFunctionConcurrencyCommand({ FunctionName: "hello", ReservedConcurrentExecutions: 300 }));
    assert.equal((await client.send(new GetFunctionConcurrencyCommand({ FunctionName: "hello" }))).ReservedConcurrentExecutions, 300);
    assert.equal((await client.send(new GetFunctionCommand({ FunctionName: "hello" }))).Concurrency?.ReservedConcurrentExecutions, 300);
    const { AccountLimit, AccountUsage } = await client.send(new GetAccountSettingsCommand({}));
    assert.deepEqual(
      [
        AccountLimit?.ConcurrentExecutions,
        AccountLimit?.UnreservedConcurrentExecutions,
        AccountLimit?.CodeSizeZipped,
        AccountUsage?.FunctionCount,
      ],
      [1_000, 700, 52_428_800, 1],
    );
    await assert.rejects(
      client.send(new PutFunctionConcurrencyCommand({ FunctionName: "hello", ReservedConcurrentExecutions: 901 })),
      refused("InvalidParameterValueException", 400, /minimum value of \[100\]/),
    );
    await client.send(new DeleteFunctionConcurrencyCommand({ FunctionName: "hello" }));
    assert.equal((await client.send(new GetFunctionConcurrencyCommand({ FunctionName: "hello" }))).ReservedConcurrentExecutions, undefined);
  });

  it("provisioned concurrency is in progress until the instances are there", async (test) => {
    const { client, create, ready } = await startLambda(test);
    await create({ Publish: true });
    const read = () => client.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName: "hello", Qualifier: "1" }));
    await assert.rejects(read(), refused("ProvisionedConcurrencyConfigNotFoundException", 404, /No Provisioned/));
    const put = await client.send(
      new PutProvisionedConcurrencyConfigCommand({ FunctionName: "hello", Qualifier: "1", ProvisionedConcurrentExecutions: 2 }),
    );
    assert.deepEqual([put.Status, put.RequestedProvisionedConcurrentExecutions, put.$metadata.httpStatusCode], ["IN_PROGRESS", 2, 202]);
    ready.instances = 2;
    assert.equal((await read()).Status, "READY");
    const listed = await client.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName: "hello" }));
    assert.deepEqual(
      listed.ProvisionedConcurrencyConfigs?.map((each) => each.FunctionArn),
      [`${FUNCTION_ARN}:1`],
    );
    await assert.rejects(
      client.send(
        new PutProvisionedConcurrencyConfigCommand({ FunctionName: "hello", Qualifier: "$LATEST", ProvisionedConcurrentExecutions: 1 }),
      ),
      refused("InvalidParameterValueException", 400, /unpublished/),
    );
    await client.send(new DeleteProvisionedConcurrencyConfigCommand({ FunctionName: "hello", Qualifier: "1" }));
    await assert.rejects(read(), refused("ProvisionedConcurrencyConfigNotFoundException", 404, /No Provisioned/));
  });
});
