import assert from "node:assert/strict";
import { ResourceConflictException, ResourceNotFoundException } from "@aws-sdk/client-lambda";
import { ACCOUNT, answering, functionArnOf } from "../../support/javascript-clients.ts";
import { known, type OperationCase, type Stage } from "./cases.ts";

const NOWHERE = { FunctionName: "nowhere" };
const QUEUE = `arn:aws:sqs:us-east-1:${ACCOUNT}:failed`;
const FROM_TOPIC = { StatementId: "from-topic", Action: "lambda:InvokeFunction", Principal: "sns.amazonaws.com" };

async function permitted({ stage, made }: Stage, name: string): Promise<string> {
  const FunctionName = await made(name);
  await stage.lambda.addPermission({ FunctionName, ...FROM_TOPIC });
  return FunctionName;
}

/** Resource policies. */
export const permissionCases: Readonly<Record<string, OperationCase>> = {
  AddPermission: {
    async does({ js, stage, made }) {
      const FunctionName = await made("add-permission");
      const { Statement } = await js.lambda.addPermission({
        FunctionName,
        ...FROM_TOPIC,
        SourceArn: `arn:aws:sns:us-east-1:${ACCOUNT}:news`,
      });
      const { Policy } = await stage.lambda.getPolicy({ FunctionName });
      assert.deepEqual((JSON.parse(known(Policy)) as { Statement: unknown }).Statement, [JSON.parse(known(Statement))]);
    },
    refuses: [
      async (stage) => stage.js.lambda.addPermission({ FunctionName: await permitted(stage, "permission-taken"), ...FROM_TOPIC }),
      ResourceConflictException,
      409,
    ],
  },
  GetPolicy: {
    async does(stage) {
      const { Policy, RevisionId } = await stage.js.lambda.getPolicy({ FunctionName: await permitted(stage, "get-policy") });
      assert.match(known(Policy), /"Sid":"from-topic"/u);
      assert.match(known(RevisionId), /^[0-9a-f-]{36}$/u);
    },
    refuses: [async ({ js, made }) => js.lambda.getPolicy({ FunctionName: await made("no-policy") }), ResourceNotFoundException, 404],
  },
  RemovePermission: {
    async does(stage) {
      const FunctionName = await permitted(stage, "remove-permission");
      await stage.js.lambda.removePermission({ FunctionName, StatementId: "from-topic" });
      await assert.rejects(stage.stage.lambda.getPolicy({ FunctionName }), ResourceNotFoundException);
    },
    refuses: [
      async (stage) => stage.js.lambda.removePermission({ FunctionName: await permitted(stage, "other-permission"), StatementId: "other" }),
      ResourceNotFoundException,
      404,
    ],
  },
};

/** A function with a public URL that it may be called by. */
async function withUrl({ stage, made }: Stage, name: string, body = "return { statusCode: 200, body: 'over HTTP' };"): Promise<string> {
  const FunctionName = await made(name, { files: answering(body) });
  await stage.lambda.createFunctionUrlConfig({ FunctionName, AuthType: "NONE" });
  await openUrl({ stage }, FunctionName);
  return FunctionName;
}

/** Lets everybody in: a URL needs both permissions. */
export async function openUrl({ stage }: Pick<Stage, "stage">, FunctionName: string): Promise<void> {
  const url = { FunctionName, Principal: "*" };
  await stage.lambda.addPermission({ ...url, StatementId: "url", Action: "lambda:InvokeFunctionUrl", FunctionUrlAuthType: "NONE" });
  await stage.lambda.addPermission({ ...url, StatementId: "call", Action: "lambda:InvokeFunction", InvokedViaFunctionUrl: true });
}

/** Function URLs. */
export const urlCases: Readonly<Record<string, OperationCase>> = {
  CreateFunctionUrlConfig: {
    async does({ js, stage, made }) {
      const FunctionName = await made("create-url", { files: answering("return { statusCode: 201, body: event.rawPath };") });
      const { FunctionUrl } = await js.lambda.createFunctionUrlConfig({
        FunctionName,
        AuthType: "NONE",
        Cors: { AllowOrigins: ["https://example.org"] },
      });
      assert.equal((await fetch(`${known(FunctionUrl)}a`)).status, 403, "no policy opens it yet");
      await openUrl({ stage }, FunctionName);
      const answer = await fetch(`${known(FunctionUrl)}a`, { headers: { origin: "https://example.org" } });
      assert.deepEqual(
        [answer.status, await answer.text(), answer.headers.get("access-control-allow-origin")],
        [201, "/a", "https://example.org"],
      );
    },
    refuses: [
      async (stage) => stage.js.lambda.createFunctionUrlConfig({ FunctionName: await withUrl(stage, "url-taken"), AuthType: "NONE" }),
      ResourceConflictException,
      409,
    ],
  },
  UpdateFunctionUrlConfig: {
    async does(stage) {
      const FunctionName = await withUrl(stage, "update-url");
      const { FunctionUrl } = await stage.stage.lambda.getFunctionUrlConfig({ FunctionName });
      assert.equal((await fetch(known(FunctionUrl))).status, 200);
      await stage.js.lambda.updateFunctionUrlConfig({ FunctionName, AuthType: "AWS_IAM" });
      assert.equal((await fetch(known(FunctionUrl))).status, 403);
    },
    refuses: [({ js }) => js.lambda.updateFunctionUrlConfig({ ...NOWHERE, AuthType: "NONE" }), ResourceNotFoundException, 404],
  },
  GetFunctionUrlConfig: {
    async does(stage) {
      const read = await stage.js.lambda.getFunctionUrlConfig({ FunctionName: await withUrl(stage, "get-url") });
      assert.deepEqual([read.AuthType, read.InvokeMode], ["NONE", "BUFFERED"]);
      assert.equal(await (await fetch(known(read.FunctionUrl))).text(), "over HTTP");
    },
    refuses: [
      async ({ js, made }) => js.lambda.getFunctionUrlConfig({ FunctionName: await made("no-url") }),
      ResourceNotFoundException,
      404,
    ],
  },
  ListFunctionUrlConfigs: {
    async does(stage) {
      const FunctionName = await withUrl(stage, "list-urls");
      const { FunctionUrlConfigs } = await stage.js.lambda.listFunctionUrlConfigs({ FunctionName });
      assert.deepEqual(
        FunctionUrlConfigs?.map((each) => each.FunctionArn),
        [functionArnOf(FunctionName)],
      );
    },
    refuses: [({ js }) => js.lambda.listFunctionUrlConfigs(NOWHERE), ResourceNotFoundException, 404],
  },
  DeleteFunctionUrlConfig: {
    async does(stage) {
      const FunctionName = await withUrl(stage, "delete-url");
      const { FunctionUrl } = await stage.stage.lambda.getFunctionUrlConfig({ FunctionName });
      await stage.js.lambda.deleteFunctionUrlConfig({ FunctionName });
      assert.equal((await fetch(known(FunctionUrl))).status, 404);
    },
    refuses: [
      async ({ js, made }) => js.lambda.deleteFunctionUrlConfig({ FunctionName: await made("url-gone") }),
      ResourceNotFoundException,
      404,
    ],
  },
};

async function withEventConfig({ stage, made }: Stage, name: string): Promise<string> {
  const FunctionName = await made(name);
  await stage.lambda.putFunctionEventInvokeConfig({ FunctionName, MaximumRetryAttempts: 1 });
  return FunctionName;
}

/** How asynchronous calls are retried. */
export const eventInvokeCases: Readonly<Record<string, OperationCase>> = {
  PutFunctionEventInvokeConfig: {
    async does({ js, stage, made }) {
      const FunctionName = await made("put-event-invoke");
      await js.lambda.putFunctionEventInvokeConfig({
        FunctionName,
        MaximumRetryAttempts: 0,
        DestinationConfig: { OnFailure: { Destination: QUEUE } },
      });
      const read = await stage.lambda.getFunctionEventInvokeConfig({ FunctionName });
      assert.deepEqual([read.MaximumRetryAttempts, read.DestinationConfig?.OnFailure?.Destination], [0, QUEUE]);
    },
    refuses: [({ js }) => js.lambda.putFunctionEventInvokeConfig({ ...NOWHERE, MaximumRetryAttempts: 0 }), ResourceNotFoundException, 404],
  },
  UpdateFunctionEventInvokeConfig: {
    async does(stage) {
      const FunctionName = await withEventConfig(stage, "update-event-invoke");
      await stage.js.lambda.updateFunctionEventInvokeConfig({ FunctionName, MaximumEventAgeInSeconds: 60 });
      const read = await stage.stage.lambda.getFunctionEventInvokeConfig({ FunctionName });
      assert.deepEqual([read.MaximumRetryAttempts, read.MaximumEventAgeInSeconds], [1, 60]);
    },
    refuses: [
      async ({ js, made }) =>
        js.lambda.updateFunctionEventInvokeConfig({ FunctionName: await made("no-event-invoke"), MaximumRetryAttempts: 0 }),
      ResourceNotFoundException,
      404,
    ],
  },
  GetFunctionEventInvokeConfig: {
    async does(stage) {
      const read = await stage.js.lambda.getFunctionEventInvokeConfig({ FunctionName: await withEventConfig(stage, "get-event-invoke") });
      assert.equal(read.MaximumRetryAttempts, 1);
      assert.ok(read.LastModified instanceof Date);
    },
    refuses: [({ js }) => js.lambda.getFunctionEventInvokeConfig(NOWHERE), ResourceNotFoundException, 404],
  },
  ListFunctionEventInvokeConfigs: {
    async does(stage) {
      const FunctionName = await withEventConfig(stage, "list-event-invoke");
      const { FunctionEventInvokeConfigs } = await stage.js.lambda.listFunctionEventInvokeConfigs({ FunctionName });
      assert.deepEqual(
        FunctionEventInvokeConfigs?.map((each) => each.FunctionArn),
        [`${functionArnOf(FunctionName)}:$LATEST`],
      );
    },
    refuses: [({ js }) => js.lambda.listFunctionEventInvokeConfigs(NOWHERE), ResourceNotFoundException, 404],
  },
  DeleteFunctionEventInvokeConfig: {
    async does(stage) {
      const FunctionName = await withEventConfig(stage, "delete-event-invoke");
      await stage.js.lambda.deleteFunctionEventInvokeConfig({ FunctionName });
      await assert.rejects(stage.stage.lambda.getFunctionEventInvokeConfig({ FunctionName }), ResourceNotFoundException);
    },
    refuses: [({ js }) => js.lambda.deleteFunctionEventInvokeConfig(NOWHERE), ResourceNotFoundException, 404],
  },
};

/** Tags. */
export const tagCases: Readonly<Record<string, OperationCase>> = {
  TagResource: {
    async does({ js, stage, made }) {
      const Resource = functionArnOf(await made("tag"));
      await js.lambda.tagResource({ Resource, Tags: { stage: "test" } });
      assert.deepEqual((await stage.lambda.listTags({ Resource })).Tags, { stage: "test" });
    },
    refuses: [({ js }) => js.lambda.tagResource({ Resource: functionArnOf("nowhere"), Tags: { a: "b" } }), ResourceNotFoundException, 404],
  },
  UntagResource: {
    async does({ js, stage, made }) {
      const Resource = functionArnOf(await made("untag", { Tags: { one: "1", two: "2" } }));
      await js.lambda.untagResource({ Resource, TagKeys: ["one"] });
      assert.deepEqual((await stage.lambda.listTags({ Resource })).Tags, { two: "2" });
    },
    refuses: [({ js }) => js.lambda.untagResource({ Resource: functionArnOf("nowhere"), TagKeys: ["a"] }), ResourceNotFoundException, 404],
  },
  ListTags: {
    async does({ js, made }) {
      const Resource = functionArnOf(await made("list-tags", { Tags: { one: "1" } }));
      assert.deepEqual((await js.lambda.listTags({ Resource })).Tags, { one: "1" });
    },
    refuses: [({ js }) => js.lambda.listTags({ Resource: functionArnOf("nowhere") }), ResourceNotFoundException, 404],
  },
};
