import assert from "node:assert/strict";
import {
  InvalidParameterValueException,
  paginateListFunctions,
  PreconditionFailedException,
  RequestTooLargeException,
  ResourceConflictException,
  ResourceNotFoundException,
} from "@aws-sdk/client-lambda";
import {
  ACCOUNT,
  answering,
  call,
  functionArnOf,
  makeFunction,
  ROLE,
  untilActive,
  untilUpdated,
} from "../../support/javascript-clients.ts";
import { zipOf } from "../../support/zips.ts";
import { known, type OperationCase } from "./cases.ts";

const NOWHERE = { FunctionName: "nowhere" };

/** Functions as such: made, called, changed, read, listed, removed. */
export const functionCases: Readonly<Record<string, OperationCase>> = {
  CreateFunction: {
    async does({ js, stage }) {
      const made = await js.lambda.createFunction({
        FunctionName: "create-function",
        Description: "says hello",
        Runtime: "nodejs22.x",
        Handler: "index.handler",
        Role: ROLE,
        Timeout: 7,
        MemorySize: 256,
        EphemeralStorage: { Size: 600 },
        Environment: { Variables: { GREETING: "hello" } },
        Tags: { team: "blue" },
        Publish: true,
        Code: { ZipFile: await zipOf(answering("return process.env.GREETING + ' ' + event.name + ' ' + context.memoryLimitInMB;")) },
      });
      assert.deepEqual([made.State, made.Version, made.FunctionArn], ["Pending", "1", `${functionArnOf("create-function")}:1`]);
      await untilActive(stage.lambda, "create-function");
      assert.equal((await call(stage.lambda, "create-function", { name: "you" })).value, "hello you 256");
    },
    refuses: [
      async ({ js, made }) =>
        js.lambda.createFunction({
          FunctionName: await made("taken"),
          Runtime: "nodejs22.x",
          Handler: "index.handler",
          Role: ROLE,
          Code: { ZipFile: await zipOf({ "index.mjs": "1" }) },
        }),
      ResourceConflictException,
      409,
    ],
  },
  UpdateFunctionCode: {
    async does({ js, stage, made }) {
      const FunctionName = await made("update-code");
      const ZipFile = await zipOf(answering("return 'changed';"));
      const before = await stage.lambda.getFunctionConfiguration({ FunctionName });
      const tried = await stage.lambda.updateFunctionCode({ FunctionName, ZipFile, DryRun: true });
      assert.notEqual(tried.CodeSha256, before.CodeSha256, "a dry run answers as the update would");
      assert.equal((await call(stage.lambda, FunctionName)).value, FunctionName, "and changes nothing");
      const RevisionId = known((await stage.lambda.getFunctionConfiguration({ FunctionName })).RevisionId);
      const updated = await js.lambda.updateFunctionCode({ FunctionName, ZipFile, RevisionId, Publish: true });
      assert.deepEqual([updated.Version, updated.CodeSha256], ["1", tried.CodeSha256]);
      await untilUpdated(stage.lambda, FunctionName);
      assert.equal((await call(stage.lambda, FunctionName)).value, "changed");
      assert.equal((await call(stage.lambda, FunctionName, {}, { Qualifier: "1" })).value, "changed");
    },
    refuses: [
      async ({ js, made }) =>
        js.lambda.updateFunctionCode({
          FunctionName: await made("update-code-revision"),
          RevisionId: "11111111-2222-3333-4444-555555555555",
          ZipFile: await zipOf({ "index.mjs": "2" }),
        }),
      PreconditionFailedException,
      412,
    ],
  },
  UpdateFunctionConfiguration: {
    async does({ js, stage, made }) {
      const FunctionName = await made("update-configuration", {
        files: answering("return [process.env.ANSWER, context.memoryLimitInMB];"),
      });
      assert.deepEqual((await call(stage.lambda, FunctionName)).value, [null, "128"]);
      const RevisionId = known((await stage.lambda.getFunctionConfiguration({ FunctionName })).RevisionId);
      await js.lambda.updateFunctionConfiguration({
        FunctionName,
        RevisionId,
        MemorySize: 192,
        Environment: { Variables: { ANSWER: "b" } },
      });
      await untilUpdated(stage.lambda, FunctionName);
      assert.deepEqual((await call(stage.lambda, FunctionName)).value, ["b", "192"]);
    },
    refuses: [
      async ({ js, made }) =>
        js.lambda.updateFunctionConfiguration({
          FunctionName: await made("update-configuration-revision"),
          RevisionId: "11111111-2222-3333-4444-555555555555",
          Timeout: 5,
        }),
      PreconditionFailedException,
      412,
    ],
  },
  GetFunction: {
    async does({ js, made }) {
      const FunctionName = await made("get-function", { Tags: { team: "red" }, Layers: [] });
      const read = await js.lambda.getFunction({ FunctionName });
      assert.deepEqual([read.Configuration?.State, read.Tags], ["Active", { team: "red" }]);
      const zip = await (await fetch(known(read.Code?.Location))).bytes();
      assert.equal(zip.length, read.Configuration?.CodeSize, "the code can be fetched from its location, unsigned");
    },
    refuses: [({ js }) => js.lambda.getFunction(NOWHERE), ResourceNotFoundException, 404],
  },
  GetFunctionConfiguration: {
    async does({ js, made }) {
      const FunctionName = await made("get-configuration", { Timeout: 11, Publish: true });
      const read = await js.lambda.getFunctionConfiguration({ FunctionName: functionArnOf(FunctionName), Qualifier: "1" });
      assert.deepEqual([read.Timeout, read.Version, read.LastUpdateStatus], [11, "1", "Successful"]);
    },
    refuses: [({ js }) => js.lambda.getFunctionConfiguration(NOWHERE), ResourceNotFoundException, 404],
  },
  ListFunctions: {
    async does({ recorded, direct }) {
      // A realm of its own, where nothing else is.
      const { lambda } = direct({ region: "eu-west-1" });
      for (const name of ["list-a", "list-b", "list-c"]) await makeFunction(lambda, name);
      const here = recorded({ region: "eu-west-1" }).lambda;
      const first = await here.listFunctions({ MaxItems: 2 });
      const second = await here.listFunctions({ MaxItems: 2, Marker: known(first.NextMarker) });
      const names = [...known(first.Functions), ...known(second.Functions)].map((each) => each.FunctionName);
      assert.deepEqual([names, second.NextMarker], [["list-a", "list-b", "list-c"], undefined]);
      const paged = await Array.fromAsync(paginateListFunctions({ client: lambda, pageSize: 1 }, {}));
      assert.deepEqual(
        paged.flatMap((page) => page.Functions?.map((each) => each.FunctionName)),
        names,
      );
    },
    refuses: [({ js }) => js.lambda.listFunctions({ MaxItems: 10_001 }), InvalidParameterValueException, 400],
  },
  DeleteFunction: {
    async does({ js, stage, made }) {
      const FunctionName = await made("delete-function", { Publish: true });
      await js.lambda.deleteFunction({ FunctionName });
      await assert.rejects(stage.lambda.getFunction({ FunctionName }), ResourceNotFoundException);
      await assert.rejects(stage.lambda.invoke({ FunctionName, Qualifier: "1" }), ResourceNotFoundException);
    },
    refuses: [({ js }) => js.lambda.deleteFunction(NOWHERE), ResourceNotFoundException, 404],
  },
  PutFunctionRecursionConfig: {
    async does({ js, stage, made }) {
      const FunctionName = await made("put-recursion");
      await js.lambda.putFunctionRecursionConfig({ FunctionName, RecursiveLoop: "Allow" });
      assert.equal((await stage.lambda.getFunctionRecursionConfig({ FunctionName })).RecursiveLoop, "Allow");
    },
    refuses: [({ js }) => js.lambda.putFunctionRecursionConfig({ ...NOWHERE, RecursiveLoop: "Allow" }), ResourceNotFoundException, 404],
  },
  GetFunctionRecursionConfig: {
    async does({ js, made }) {
      assert.equal((await js.lambda.getFunctionRecursionConfig({ FunctionName: await made("get-recursion") })).RecursiveLoop, "Terminate");
    },
    refuses: [({ js }) => js.lambda.getFunctionRecursionConfig(NOWHERE), ResourceNotFoundException, 404],
  },
  GetFunctionCodeSigningConfig: {
    async does({ js, made }) {
      const FunctionName = await made("code-signing");
      assert.equal((await js.lambda.getFunctionCodeSigningConfig({ FunctionName })).FunctionName, FunctionName);
    },
    refuses: [({ js }) => js.lambda.getFunctionCodeSigningConfig(NOWHERE), ResourceNotFoundException, 404],
  },
  GetAccountSettings: {
    async does({ recorded, direct }) {
      const { lambda } = direct({ region: "ap-south-1" });
      await makeFunction(lambda, "counted");
      await lambda.putFunctionConcurrency({ FunctionName: "counted", ReservedConcurrentExecutions: 250 });
      const { CodeSize } = await lambda.getFunctionConfiguration({ FunctionName: "counted" });
      const { AccountLimit, AccountUsage } = await recorded({ region: "ap-south-1" }).lambda.getAccountSettings({});
      assert.deepEqual([AccountUsage?.FunctionCount, AccountUsage?.TotalCodeSize], [1, CodeSize]);
      assert.deepEqual([AccountLimit?.ConcurrentExecutions, AccountLimit?.UnreservedConcurrentExecutions], [1_000, 750]);
    },
    refuses: [
      ({ server, recorded }) => recorded({ credentials: { ...server.key, secretAccessKey: "guessed" } }).lambda.getAccountSettings({}),
      "InvalidSignatureException",
      403,
    ],
  },
  Invoke: {
    async does({ js, stage, made }) {
      const FunctionName = await made("invoke", {
        Publish: true,
        files: answering("console.log('seen'); return { ...event, client: context.clientContext };"),
      });
      const answer = await js.lambda.invoke({
        FunctionName: `${ACCOUNT}:function:${FunctionName}`,
        Qualifier: "1",
        LogType: "Tail",
        ClientContext: Buffer.from(JSON.stringify({ custom: { from: "test" } })).toString("base64"),
        Payload: '{"n":1}',
      });
      assert.deepEqual([answer.StatusCode, answer.ExecutedVersion, answer.FunctionError], [200, "1", undefined]);
      assert.deepEqual(JSON.parse(known(answer.Payload).transformToString()), { n: 1, client: { custom: { from: "test" } } });
      assert.match(
        Buffer.from(answer.LogResult ?? "", "base64").toString(),
        /^START RequestId: \S+ Version: 1\n[^]*\tINFO\tseen\n[^]*END [^]*REPORT /u,
      );
      const tried = await stage.lambda.invoke({ FunctionName, InvocationType: "DryRun" });
      assert.deepEqual([tried.StatusCode, tried.Payload?.length ?? 0], [204, 0]);
    },
    refuses: [({ js }) => js.lambda.invoke(NOWHERE), ResourceNotFoundException, 404],
  },
  InvokeWithResponseStream: {
    async does({ js, made }) {
      const FunctionName = await made("invoke-stream", {
        files: {
          "index.mjs":
            "export const handler = awslambda.streamifyResponse(async (event, stream) => { stream.write('one '); stream.end(event.last); });",
        },
      });
      const answer = await js.lambda.invokeWithResponseStream({ FunctionName, LogType: "Tail", Payload: Buffer.from('{"last":"two"}') });
      assert.equal(answer.ResponseStreamContentType, "application/vnd.amazon.eventstream");
      const events = await Array.fromAsync(known(answer.EventStream));
      const text = events.map((event) => Buffer.from(event.PayloadChunk?.Payload ?? []).toString()).join("");
      assert.equal(text, "one two");
      const complete = events.at(-1)?.InvokeComplete;
      assert.equal(complete?.ErrorCode, undefined);
      assert.match(Buffer.from(complete?.LogResult ?? "", "base64").toString(), /REPORT RequestId/u);
    },
    refuses: [
      async ({ js, made }) =>
        js.lambda.invokeWithResponseStream({ FunctionName: await made("invoke-stream-big"), Payload: Buffer.alloc(6_291_457, "1") }),
      RequestTooLargeException,
      413,
    ],
  },
};
