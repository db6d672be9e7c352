import assert from "node:assert/strict";
import {
  InvalidParameterValueException,
  PreconditionFailedException,
  ProvisionedConcurrencyConfigNotFoundException,
  ResourceConflictException,
  ResourceNotFoundException,
  TooManyRequestsException,
} from "@aws-sdk/client-lambda";
import { call, functionArnOf } from "../../support/javascript-clients.ts";
import { known, type OperationCase, type Stage } from "./cases.ts";

const NOWHERE = { FunctionName: "nowhere" };
const OLD_REVISION = "11111111-2222-3333-4444-555555555555";

/** A function with version 1. */
const published = ({ made }: Stage, name: string): Promise<string> => made(name, { Publish: true });

/** The same with alias `live` on it. */
async function aliased(stage: Stage, name: string): Promise<string> {
  await published(stage, name);
  await stage.stage.lambda.createAlias({ FunctionName: name, Name: "live", FunctionVersion: "1" });
  return name;
}

/** Versions and aliases. */
export const versionCases: Readonly<Record<string, OperationCase>> = {
  PublishVersion: {
    async does({ js, stage, made }) {
      const FunctionName = await made("publish");
      const version = await js.lambda.publishVersion({ FunctionName, Description: "first" });
      assert.deepEqual([version.Version, version.Description], ["1", "first"]);
      assert.equal((await call(stage.lambda, FunctionName, {}, { Qualifier: "1" })).executedVersion, "1");
    },
    refuses: [
      async ({ js, made }) => js.lambda.publishVersion({ FunctionName: await made("publish-revision"), RevisionId: OLD_REVISION }),
      PreconditionFailedException,
      412,
    ],
  },
  ListVersionsByFunction: {
    async does(stage) {
      const FunctionName = await published(stage, "list-versions");
      const { Versions, NextMarker } = await stage.js.lambda.listVersionsByFunction({ FunctionName, MaxItems: 1 });
      const rest = await stage.js.lambda.listVersionsByFunction({ FunctionName, Marker: known(NextMarker) });
      assert.deepEqual(
        [...known(Versions), ...known(rest.Versions)].map((each) => each.Version),
        ["$LATEST", "1"],
      );
    },
    refuses: [({ js }) => js.lambda.listVersionsByFunction(NOWHERE), ResourceNotFoundException, 404],
  },
  CreateAlias: {
    async does(stage) {
      const FunctionName = await published(stage, "create-alias");
      const alias = await stage.js.lambda.createAlias({ FunctionName, Name: "live", FunctionVersion: "1", Description: "what users see" });
      assert.equal(alias.AliasArn, `${functionArnOf(FunctionName)}:live`);
      assert.equal((await call(stage.stage.lambda, `${FunctionName}:live`)).executedVersion, "1");
    },
    refuses: [
      async (stage) =>
        stage.js.lambda.createAlias({ FunctionName: await aliased(stage, "alias-taken"), Name: "live", FunctionVersion: "1" }),
      ResourceConflictException,
      409,
    ],
  },
  UpdateAlias: {
    async does(stage) {
      const FunctionName = await aliased(stage, "update-alias");
      await stage.stage.lambda.updateFunctionConfiguration({ FunctionName, Timeout: 9 });
      await stage.stage.lambda.publishVersion({ FunctionName });
      const { RevisionId } = await stage.stage.lambda.getAlias({ FunctionName, Name: "live" });
      await stage.js.lambda.updateAlias({ FunctionName, Name: "live", FunctionVersion: "2", RevisionId });
      assert.equal((await call(stage.stage.lambda, FunctionName, {}, { Qualifier: "live" })).executedVersion, "2");
    },
    refuses: [
      async (stage) =>
        stage.js.lambda.updateAlias({ FunctionName: await aliased(stage, "alias-revision"), Name: "live", RevisionId: OLD_REVISION }),
      PreconditionFailedException,
      412,
    ],
  },
  GetAlias: {
    async does(stage) {
      const alias = await stage.js.lambda.getAlias({ FunctionName: await aliased(stage, "get-alias"), Name: "live" });
      assert.deepEqual([alias.Name, alias.FunctionVersion], ["live", "1"]);
    },
    refuses: [
      async ({ js, made }) => js.lambda.getAlias({ FunctionName: await made("no-alias"), Name: "live" }),
      ResourceNotFoundException,
      404,
    ],
  },
  ListAliases: {
    async does(stage) {
      const FunctionName = await aliased(stage, "list-aliases");
      await stage.stage.lambda.createAlias({ FunctionName, Name: "next", FunctionVersion: "1" });
      const { Aliases, NextMarker } = await stage.js.lambda.listAliases({ FunctionName, MaxItems: 1 });
      const rest = await stage.js.lambda.listAliases({ FunctionName, FunctionVersion: "1", Marker: known(NextMarker) });
      assert.deepEqual(
        [...known(Aliases), ...known(rest.Aliases)].map((each) => each.Name),
        ["live", "next"],
      );
    },
    refuses: [({ js }) => js.lambda.listAliases(NOWHERE), ResourceNotFoundException, 404],
  },
  DeleteAlias: {
    async does(stage) {
      const FunctionName = await aliased(stage, "delete-alias");
      await stage.js.lambda.deleteAlias({ FunctionName, Name: "live" });
      await assert.rejects(stage.stage.lambda.getAlias({ FunctionName, Name: "live" }), ResourceNotFoundException);
    },
    refuses: [({ js }) => js.lambda.deleteAlias({ ...NOWHERE, Name: "live" }), ResourceNotFoundException, 404],
  },
};

/** Reserved and provisioned concurrency. */
export const concurrencyCases: Readonly<Record<string, OperationCase>> = {
  PutFunctionConcurrency: {
    async does({ js, stage, made }) {
      const FunctionName = await made("reserve");
      await js.lambda.putFunctionConcurrency({ FunctionName, ReservedConcurrentExecutions: 0 });
      await assert.rejects(stage.lambda.invoke({ FunctionName }), (error: unknown) => {
        assert.ok(error instanceof TooManyRequestsException, String(error));
        assert.deepEqual([error.Reason, error.$metadata.httpStatusCode], ["ReservedFunctionConcurrentInvocationLimitExceeded", 429]);
        return true;
      });
    },
    refuses: [
      async ({ js, made }) =>
        js.lambda.putFunctionConcurrency({ FunctionName: await made("reserve-all"), ReservedConcurrentExecutions: 1_000 }),
      InvalidParameterValueException,
      400,
    ],
  },
  GetFunctionConcurrency: {
    async does({ js, stage, made }) {
      const FunctionName = await made("get-reserved");
      await stage.lambda.putFunctionConcurrency({ FunctionName, ReservedConcurrentExecutions: 3 });
      assert.equal((await js.lambda.getFunctionConcurrency({ FunctionName })).ReservedConcurrentExecutions, 3);
    },
    refuses: [({ js }) => js.lambda.getFunctionConcurrency(NOWHERE), ResourceNotFoundException, 404],
  },
  DeleteFunctionConcurrency: {
    async does({ js, stage, made }) {
      const FunctionName = await made("unreserve");
      await stage.lambda.putFunctionConcurrency({ FunctionName, ReservedConcurrentExecutions: 0 });
      await js.lambda.deleteFunctionConcurrency({ FunctionName });
      assert.equal((await call(stage.lambda, FunctionName)).value, FunctionName);
    },
    refuses: [({ js }) => js.lambda.deleteFunctionConcurrency(NOWHERE), ResourceNotFoundException, 404],
  },
  PutProvisionedConcurrencyConfig: {
    async does(stage) {
      const FunctionName = await published(stage, "provision");
      const put = await stage.js.lambda.putProvisionedConcurrencyConfig({
        FunctionName,
        Qualifier: "1",
        ProvisionedConcurrentExecutions: 1,
      });
      assert.deepEqual([put.Status, put.RequestedProvisionedConcurrentExecutions], ["IN_PROGRESS", 1]);
      await untilProvisioned(stage, FunctionName);
      const { log } = await call(stage.stage.lambda, FunctionName, {}, { Qualifier: "1", LogType: "Tail" });
      assert.doesNotMatch(log, /Init Duration/u, "a provisioned instance has started before it is called");
    },
    refuses: [
      async ({ js, made }) =>
        js.lambda.putProvisionedConcurrencyConfig({
          FunctionName: await made("provision-latest"),
          Qualifier: "$LATEST",
          ProvisionedConcurrentExecutions: 1,
        }),
      InvalidParameterValueException,
      400,
    ],
  },
  GetProvisionedConcurrencyConfig: {
    async does(stage) {
      const FunctionName = await published(stage, "get-provisioned");
      await stage.stage.lambda.putProvisionedConcurrencyConfig({ FunctionName, Qualifier: "1", ProvisionedConcurrentExecutions: 1 });
      await untilProvisioned(stage, FunctionName);
      const read = await stage.js.lambda.getProvisionedConcurrencyConfig({ FunctionName, Qualifier: "1" });
      assert.deepEqual([read.Status, read.AvailableProvisionedConcurrentExecutions], ["READY", 1]);
    },
    refuses: [
      async (stage) =>
        stage.js.lambda.getProvisionedConcurrencyConfig({ FunctionName: await published(stage, "never-provisioned"), Qualifier: "1" }),
      ProvisionedConcurrencyConfigNotFoundException,
      404,
    ],
  },
  ListProvisionedConcurrencyConfigs: {
    async does(stage) {
      const FunctionName = await published(stage, "list-provisioned");
      await stage.stage.lambda.putProvisionedConcurrencyConfig({ FunctionName, Qualifier: "1", ProvisionedConcurrentExecutions: 1 });
      await untilProvisioned(stage, FunctionName);
      const { ProvisionedConcurrencyConfigs } = await stage.js.lambda.listProvisionedConcurrencyConfigs({ FunctionName });
      assert.deepEqual(
        ProvisionedConcurrencyConfigs?.map((each) => [each.FunctionArn, each.Status]),
        [[`${functionArnOf(FunctionName)}:1`, "READY"]],
      );
    },
    refuses: [({ js }) => js.lambda.listProvisionedConcurrencyConfigs(NOWHERE), ResourceNotFoundException, 404],
  },
  DeleteProvisionedConcurrencyConfig: {
    async does(stage) {
      const FunctionName = await published(stage, "unprovision");
      await stage.stage.lambda.putProvisionedConcurrencyConfig({ FunctionName, Qualifier: "1", ProvisionedConcurrentExecutions: 1 });
      await stage.js.lambda.deleteProvisionedConcurrencyConfig({ FunctionName, Qualifier: "1" });
      await assert.rejects(
        stage.stage.lambda.getProvisionedConcurrencyConfig({ FunctionName, Qualifier: "1" }),
        ProvisionedConcurrencyConfigNotFoundException,
      );
    },
    refuses: [({ js }) => js.lambda.deleteProvisionedConcurrencyConfig({ ...NOWHERE, Qualifier: "1" }), ResourceNotFoundException, 404],
  },
};

/** Asks until the instances are there; the test runner's own time bound ends a wait that never does. */
export async function untilProvisioned({ stage }: Stage, FunctionName: string, Qualifier = "1"): Promise<void> {
  for (;;) {
    const { Status } = await stage.lambda.getProvisionedConcurrencyConfig({ FunctionName, Qualifier });
    if (Status === "READY") return;
    assert.equal(Status, "IN_PROGRESS");
  }
}
