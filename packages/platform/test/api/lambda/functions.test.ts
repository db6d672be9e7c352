import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  DeleteFunctionCommand,
  GetFunctionCodeSigningConfigCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  GetFunctionRecursionConfigCommand,
  ListFunctionsCommand,
  ListVersionsByFunctionCommand,
  PutFunctionRecursionConfigCommand,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from "@aws-sdk/client-lambda";
import { ROLE_ARN } from "../../support/functions-world.ts";
import { FUNCTION_ARN, known, refused, startLambda } from "../../support/lambda-api.ts";
import { zipOf } from "../../support/zips.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

describe("Lambda's API: functions", () => {
  it("CreateFunction answers all members of a function, and the SDK's waiter sees it become active", async (test) => {
    const { client, create } = await startLambda(test);
    const made = await create({ Environment: { Variables: { TOKEN: "x" } }, Tags: { team: "a" } });
    const { RevisionId, LastModified, CodeSha256, CodeSize, RuntimeVersionConfig, $metadata, ...rest } = made;
    assert.equal($metadata.httpStatusCode, 201);
    assert.match(known(RevisionId), UUID);
    assert.match(known(LastModified), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$/);
    assert.equal(Buffer.from(known(CodeSha256), "base64").length, 32);
    assert.ok(known(CodeSize) > 100);
    assert.match(known(RuntimeVersionConfig?.RuntimeVersionArn), /^arn:aws:lambda:us-east-1::runtime:[0-9a-f]{64}$/);
    assert.deepEqual(rest, {
      FunctionName: "hello",
      FunctionArn: FUNCTION_ARN,
      Version: "$LATEST",
      Description: "",
      Runtime: "nodejs22.x",
      Handler: "index.handler",
      Role: ROLE_ARN,
      MemorySize: 128,
      Timeout: 3,
      EphemeralStorage: { Size: 512 },
      Environment: { Variables: { TOKEN: "x" } },
      Architectures: ["x86_64"],
      LoggingConfig: { LogFormat: "Text", LogGroup: "/aws/lambda/hello" },
      TracingConfig: { Mode: "PassThrough" },
      PackageType: "Zip",
      SnapStart: { ApplyOn: "None", OptimizationStatus: "Off" },
      State: "Pending",
      StateReason: "The function is being created.",
      StateReasonCode: "Creating",
    });
    assert.equal(
      (await waitUntilFunctionActiveV2({ client, maxWaitTime: 5, minDelay: 1, maxDelay: 1 }, { FunctionName: "hello" })).state,
      "SUCCESS",
    );
    const { Configuration, Code, Tags } = await client.send(new GetFunctionCommand({ FunctionName: FUNCTION_ARN }));
    assert.deepEqual([Configuration?.State, Configuration?.LastUpdateStatus, Tags], ["Active", "Successful", { team: "a" }]);
    assert.equal(Code?.Location, `http://127.0.0.1/code/${encodeURIComponent(known(CodeSha256))}`);
  });

  it("an update changes code and settings, and a dry run changes nothing", async (test) => {
    const { client, create, world } = await startLambda(test);
    const made = await create();
    const zip = await zipOf({ "index.mjs": "2" });
    const dry = await client.send(new UpdateFunctionCodeCommand({ FunctionName: "hello", ZipFile: zip, DryRun: true }));
    assert.notEqual(dry.CodeSha256, made.CodeSha256);
    assert.equal((await client.send(new GetFunctionConfigurationCommand({ FunctionName: "hello" }))).CodeSha256, made.CodeSha256);
    const updated = await client.send(
      new UpdateFunctionCodeCommand({ FunctionName: "hello", ZipFile: zip, Publish: true, RevisionId: known(made.RevisionId) }),
    );
    assert.deepEqual([updated.FunctionArn, updated.Version, updated.CodeSha256], [`${FUNCTION_ARN}:1`, "1", dry.CodeSha256]);
    await world.functions.settled();
    const changed = await client.send(
      new UpdateFunctionConfigurationCommand({
        FunctionName: "hello:$LATEST",
        MemorySize: 256,
        Timeout: 10,
        Environment: {},
        LoggingConfig: { LogFormat: "JSON", SystemLogLevel: "WARN" },
      }),
    );
    assert.equal(changed.LastUpdateStatus, "InProgress");
    assert.equal(
      (await waitUntilFunctionUpdatedV2({ client, maxWaitTime: 5, minDelay: 1, maxDelay: 1 }, { FunctionName: "hello" })).state,
      "SUCCESS",
    );
    const after = await client.send(new GetFunctionConfigurationCommand({ FunctionName: "hello" }));
    assert.deepEqual(
      [after.MemorySize, after.Timeout, after.LoggingConfig],
      [256, 10, { LogFormat: "JSON", LogGroup: "/aws/lambda/hello", ApplicationLogLevel: "INFO", SystemLogLevel: "WARN" }],
    );
    await assert.rejects(
      client.send(new UpdateFunctionConfigurationCommand({ FunctionName: "hello:1" })),
      refused("InvalidParameterValueException", 400, /derived qualifier/),
    );
  });

  it("lists come in pages that the SDK follows by markers", async (test) => {
    const { client, create } = await startLambda(test);
    for (const name of ["c", "a", "b"]) await create({ FunctionName: name, Publish: true });
    const first = await client.send(new ListFunctionsCommand({ MaxItems: 2 }));
    const second = await client.send(new ListFunctionsCommand({ MaxItems: 2, Marker: known(first.NextMarker) }));
    assert.deepEqual(
      [...known(first.Functions), ...known(second.Functions)].map((each) => each.FunctionName),
      ["a", "b", "c"],
    );
    assert.equal(second.NextMarker, undefined);
    const all = await client.send(new ListFunctionsCommand({ FunctionVersion: "ALL" }));
    assert.deepEqual(
      known(all.Functions).map((each) => each.FunctionArn?.split("function:")[1]),
      ["a:$LATEST", "a:1", "b:$LATEST", "b:1", "c:$LATEST", "c:1"],
    );
    await assert.rejects(
      client.send(new ListFunctionsCommand({ Marker: "nonsense" })),
      refused("InvalidParameterValueException", 400, /Marker/),
    );
  });

  it("DeleteFunction deletes, and every later question says that there is none", async (test) => {
    const { client, create } = await startLambda(test);
    await create();
    await client.send(new DeleteFunctionCommand({ FunctionName: "hello" }));
    for (const command of [new GetFunctionCommand({ FunctionName: "hello" }), new DeleteFunctionCommand({ FunctionName: "hello" })]) {
      await assert.rejects(
        client.send(command as GetFunctionCommand),
        refused("ResourceNotFoundException", 404, /Function not found: arn:aws:lambda/),
      );
    }
    await assert.rejects(
      client.send(new ListVersionsByFunctionCommand({ FunctionName: "hello" })),
      refused("ResourceNotFoundException", 404, /hello/),
    );
  });

  it("what is not built is refused by name, and tools may send it empty", async (test) => {
    const { create } = await startLambda(test);
    await create({ VpcConfig: { SubnetIds: [], SecurityGroupIds: [] }, KMSKeyArn: "", PackageType: "Zip", SnapStart: { ApplyOn: "None" } });
    await assert.rejects(
      create({ FunctionName: "b", VpcConfig: { SubnetIds: ["subnet-1"] } }),
      refused("NotImplemented", 501, /VpcConfig is not built/),
    );
    await assert.rejects(
      create({ FunctionName: "b", PackageType: "Image", Code: { ImageUri: "x" } }),
      refused("NotImplemented", 501, /not built/),
    );
    await assert.rejects(
      create({ FunctionName: "b", Code: { ZipFile: Buffer.from("no zip") } }),
      refused("InvalidParameterValueException", 400, /not a readable zip/),
    );
    await assert.rejects(create(), refused("ResourceConflictException", 409, /already exist: hello/));
  });

  it("recursion and code signing have an answer", async (test) => {
    const { client, create } = await startLambda(test);
    await create();
    const read = () => client.send(new GetFunctionRecursionConfigCommand({ FunctionName: "hello" }));
    assert.equal((await read()).RecursiveLoop, "Terminate");
    await client.send(new PutFunctionRecursionConfigCommand({ FunctionName: "hello", RecursiveLoop: "Allow" }));
    assert.equal((await read()).RecursiveLoop, "Allow");
    assert.equal((await client.send(new GetFunctionCodeSigningConfigCommand({ FunctionName: "hello" }))).FunctionName, "hello");
  });
});
