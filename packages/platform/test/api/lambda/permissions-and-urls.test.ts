import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  AddPermissionCommand,
  CreateAliasCommand,
  CreateFunctionUrlConfigCommand,
  DeleteFunctionEventInvokeConfigCommand,
  DeleteFunctionUrlConfigCommand,
  GetFunctionEventInvokeConfigCommand,
  GetFunctionUrlConfigCommand,
  GetPolicyCommand,
  ListFunctionEventInvokeConfigsCommand,
  ListFunctionUrlConfigsCommand,
  ListTagsCommand,
  PutFunctionEventInvokeConfigCommand,
  RemovePermissionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateFunctionEventInvokeConfigCommand,
  UpdateFunctionUrlConfigCommand,
} from "@aws-sdk/client-lambda";
import { FUNCTION_ARN, known, refused, startLambda } from "../../support/lambda-api.ts";

describe("Lambda's API: permissions, URLs, event-invoke settings and tags", () => {
  it("AddPermission's statement is in GetPolicy until RemovePermission", async (test) => {
    const { client, create } = await startLambda(test);
    await create();
    const add = new AddPermissionCommand({
      FunctionName: "hello",
      StatementId: "from-bucket",
      Action: "lambda:InvokeFunction",
      Principal: "s3.amazonaws.com",
      SourceArn: "arn:aws:s3:::photos",
      SourceAccount: "000000000000",
    });
    const statement: unknown = JSON.parse(known((await client.send(add)).Statement));
    assert.deepEqual(statement, {
      Sid: "from-bucket",
      Effect: "Allow",
      Principal: { Service: "s3.amazonaws.com" },
      Action: "lambda:InvokeFunction",
      Resource: FUNCTION_ARN,
      Condition: { StringEquals: { "AWS:SourceAccount": "000000000000" }, ArnLike: { "AWS:SourceArn": "arn:aws:s3:::photos" } },
    });
    await assert.rejects(client.send(add), refused("ResourceConflictException", 409, /from-bucket/));
    const { Policy, RevisionId } = await client.send(new GetPolicyCommand({ FunctionName: "hello" }));
    assert.deepEqual(JSON.parse(known(Policy)), { Version: "2012-10-17", Id: "default", Statement: [statement] });
    const remove = (revision: string) =>
      client.send(new RemovePermissionCommand({ FunctionName: "hello", StatementId: "from-bucket", RevisionId: revision }));
    await assert.rejects(remove("other"), refused("PreconditionFailedException", 412, /RevisionId/));
    await remove(known(RevisionId));
    await assert.rejects(
      client.send(new GetPolicyCommand({ FunctionName: "hello" })),
      refused("ResourceNotFoundException", 404, /does not exist/),
    );
  });

  it("a function URL is made, read, changed, listed and deleted", async (test) => {
    const { client, create } = await startLambda(test);
    await create({ Publish: true });
    const made = await client.send(
      new CreateFunctionUrlConfigCommand({ FunctionName: "hello", AuthType: "NONE", Cors: { AllowOrigins: ["*"], MaxAge: 60 } }),
    );
    assert.deepEqual(
      [made.FunctionUrl, made.FunctionArn, made.InvokeMode, made.Cors],
      ["http://127.0.0.1/function-url/hello/", FUNCTION_ARN, "BUFFERED", { AllowOrigins: ["*"], MaxAge: 60 }],
    );
    await assert.rejects(
      client.send(new CreateFunctionUrlConfigCommand({ FunctionName: "hello", AuthType: "NONE" })),
      refused("ResourceConflictException", 409, /exists/),
    );
    await client.send(
      new UpdateFunctionUrlConfigCommand({ FunctionName: "hello", AuthType: "AWS_IAM", InvokeMode: "RESPONSE_STREAM", Cors: {} }),
    );
    const read = await client.send(new GetFunctionUrlConfigCommand({ FunctionName: "hello" }));
    assert.deepEqual([read.AuthType, read.InvokeMode, read.Cors], ["AWS_IAM", "RESPONSE_STREAM", undefined]);
    await client.send(new CreateAliasCommand({ FunctionName: "hello", Name: "live", FunctionVersion: "1" }));
    const aliased = await client.send(new CreateFunctionUrlConfigCommand({ FunctionName: "hello", Qualifier: "live", AuthType: "NONE" }));
    assert.match(known(aliased.FunctionUrl), /\/function-url\/[a-z2-7]{32}\/$/);
    const listed = await client.send(new ListFunctionUrlConfigsCommand({ FunctionName: "hello" }));
    assert.deepEqual(
      listed.FunctionUrlConfigs?.map((url) => url.FunctionArn),
      [FUNCTION_ARN, `${FUNCTION_ARN}:live`],
    );
    await client.send(new DeleteFunctionUrlConfigCommand({ FunctionName: "hello" }));
    await assert.rejects(
      client.send(new GetFunctionUrlConfigCommand({ FunctionName: "hello" })),
      refused("ResourceNotFoundException", 404, /no function URL/),
    );
  });

  it("event-invoke settings: put replaces, update keeps", async (test) => {
    const { client, create } = await startLambda(test);
    await create();
    const queue = "arn:aws:sqs:us-east-1:000000000000:failed";
    const put = await client.send(
      new PutFunctionEventInvokeConfigCommand({
        FunctionName: "hello",
        MaximumRetryAttempts: 0,
        DestinationConfig: { OnFailure: { Destination: queue } },
      }),
    );
    assert.deepEqual(
      [put.FunctionArn, put.MaximumRetryAttempts, put.DestinationConfig],
      [`${FUNCTION_ARN}:$LATEST`, 0, { OnSuccess: {}, OnFailure: { Destination: queue } }],
    );
    const updated = await client.send(new UpdateFunctionEventInvokeConfigCommand({ FunctionName: "hello", MaximumEventAgeInSeconds: 60 }));
    assert.deepEqual([updated.MaximumRetryAttempts, updated.MaximumEventAgeInSeconds], [0, 60]);
    await client.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: "hello", MaximumRetryAttempts: 1 }));
    const read = await client.send(new GetFunctionEventInvokeConfigCommand({ FunctionName: "hello" }));
    assert.deepEqual(
      [read.MaximumRetryAttempts, read.MaximumEventAgeInSeconds, read.DestinationConfig],
      [1, undefined, { OnSuccess: {}, OnFailure: {} }],
    );
    assert.ok(read.LastModified instanceof Date);
    assert.equal(
      (await client.send(new ListFunctionEventInvokeConfigsCommand({ FunctionName: "hello" }))).FunctionEventInvokeConfigs?.length,
      1,
    );
    await client.send(new DeleteFunctionEventInvokeConfigCommand({ FunctionName: "hello" }));
    await assert.rejects(
      client.send(new GetFunctionEventInvokeConfigCommand({ FunctionName: "hello" })),
      refused("ResourceNotFoundException", 404, /EventInvokeConfig/),
    );
  });

  it("tags are set, listed and removed", async (test) => {
    const { client, create } = await startLambda(test);
    await create({ Tags: { one: "1" } });
    await client.send(new TagResourceCommand({ Resource: FUNCTION_ARN, Tags: { two: "2" } }));
    await client.send(new UntagResourceCommand({ Resource: FUNCTION_ARN, TagKeys: ["one"] }));
    assert.deepEqual((await client.send(new ListTagsCommand({ Resource: FUNCTION_ARN }))).Tags, { two: "2" });
    await assert.rejects(
      client.send(new TagResourceCommand({ Resource: FUNCTION_ARN, Tags: { "lambent:concurrency": "0" } })),
      refused("InvalidParameterValueException", 400, /1 to 1000/),
    );
  });
});
