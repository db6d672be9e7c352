/** Functions that call Lambent themselves, by the SDKs that are there for import: what their roles let them do, and nothing beyond. */
import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import {
  ACCOUNT,
  answering,
  call,
  type FunctionChoices,
  javascriptClients,
  makeFunction,
  ROLE,
  startServerWithClients,
} from "../support/javascript-clients.ts";
import { policyText, TRUST } from "./javascript/iam-roles.ts";

const { server, clients } = await startServerWithClients();
await makeFunction(clients.lambda, "target", { files: answering("return { hello: event.from };") });

/** Does what the event asks of a service, and tells how it ended. */
const NODE_CALLER = {
  "index.mjs": `import { Lambda } from "@aws-sdk/client-lambda";
    import { STS } from "@aws-sdk/client-sts";
    const classes = { lambda: Lambda, sts: STS };
    export const handler = async ({ service, operation, input, settings }) => {
      const client = new classes[service]({ maxAttempts: 1, ...settings });
      try {
        const { Payload, $metadata, ...answer } = await client[operation](input);
        return { answer: Payload ? JSON.parse(Payload.transformToString()) : answer };
      } catch (error) {
        return { error: error.name, status: error.$metadata?.httpStatusCode, message: error.message };
      }
    };
    export const secrets = async () => ({
      accessKeyId: process.env.AWS_ACCESS_KEY_ID,
      secretAccessKey: process.env.AWS_SECRET_ACCESS_KEY,
      sessionToken: process.env.AWS_SESSION_TOKEN,
    });`,
};

const PYTHON_CALLER = {
  "app.py": `import json
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    client = boto3.client(event["service"])
    try:
        answer = getattr(client, event["operation"])(**event["input"])
        return {"answer": json.loads(answer["Payload"].read()) if "Payload" in answer else {name: answer[name] for name in answer if name != "ResponseMetadata"}}
    except ClientError as error:
        return {"error": error.response["Error"]["Code"], "status": error.response["ResponseMetadata"]["HTTPStatusCode"], "message": error.response["Error"]["Message"]}
`,
};

const CALLERS = [
  ["Node", { files: NODE_CALLER }, "invoke", "getCallerIdentity"],
  ["Python", { files: PYTHON_CALLER, Runtime: "python3.12", Handler: "app.handler" }, "invoke", "get_caller_identity"],
] as const satisfies readonly (readonly [string, FunctionChoices, string, string])[];

interface Told {
  readonly answer?: Record<string, unknown>;
  readonly error?: string;
  readonly status?: number;
  readonly message?: string;
}

async function tell(name: string, event: object): Promise<Told> {
  const { value, functionError } = await call(clients.lambda, name, event);
  assert.equal(functionError, undefined, JSON.stringify(value));
  return value as Told;
}

/** A role that exists here, so that its policy is enforced. */
async function roleAllowing(RoleName: string, statement: object): Promise<string> {
  const { Role } = await clients.iam.createRole({ RoleName, AssumeRolePolicyDocument: TRUST });
  await clients.iam.putRolePolicy({ RoleName, PolicyName: "allowed", PolicyDocument: policyText(statement) });
  return Role?.Arn ?? assert.fail("no role");
}

for (const [language, choices, invoke, identity] of CALLERS) {
  describe(`a ${language} function that calls back`, () => {
    const prefix = `${language.toLowerCase()}-caller`;

    test("invokes another function through its own endpoint, and is its role there", async () => {
      await makeFunction(clients.lambda, prefix, choices);
      const input = { FunctionName: "target", Payload: JSON.stringify({ from: language }) };
      assert.deepEqual(await tell(prefix, { service: "lambda", operation: invoke, input }), { answer: { hello: language } });
      const { answer } = await tell(prefix, { service: "sts", operation: identity, input: {} });
      assert.deepEqual(
        [answer?.["Account"], answer?.["Arn"]],
        [ACCOUNT, `arn:aws:sts::${ACCOUNT}:assumed-role/any-well-formed-name/${prefix}`],
      );
    });

    test("may do what the policy of its existing role allows, and no more", async () => {
      const Role = await roleAllowing(`${prefix}-role`, {
        Action: "lambda:InvokeFunction",
        Resource: `arn:aws:lambda:*:${ACCOUNT}:function:allowed`,
      });
      await makeFunction(clients.lambda, `${prefix}-bound`, { ...choices, Role });
      if (language === "Node") await makeFunction(clients.lambda, "allowed");
      const may = await tell(`${prefix}-bound`, { service: "lambda", operation: invoke, input: { FunctionName: "allowed" } });
      assert.deepEqual(may, { answer: "allowed" });
      const mayNot = await tell(`${prefix}-bound`, { service: "lambda", operation: invoke, input: { FunctionName: "target" } });
      assert.deepEqual([mayNot.error, mayNot.status], ["AccessDeniedException", 403]);
      assert.match(mayNot.message ?? "", /lambda:InvokeFunction/u);
    });
  });
}

describe("a function's credentials", () => {
  const FunctionName = "leaks";
  let stolen: { accessKeyId: string; secretAccessKey: string; sessionToken: string };
  before(async () => {
    await makeFunction(clients.lambda, FunctionName, { files: NODE_CALLER, Handler: "index.secrets" });
    stolen = (await call(clients.lambda, FunctionName)).value as typeof stolen;
    await makeFunction(clients.lambda, "thief", { files: NODE_CALLER });
  });

  const list = (settings: object): Promise<Told> => tell("thief", { service: "lambda", operation: "listFunctions", input: {}, settings });

  test("are refused at another instance's endpoint", async () => {
    const refused = await list({ credentials: stolen });
    assert.deepEqual([refused.error, refused.status], ["AccessDeniedException", 403]);
    assert.match(refused.message ?? "", /only the credentials issued to its own function/u);
    assert.ok((await list({})).answer, "the thief's own are taken there");
  });

  test("so is the root key", async () => {
    const { accessKeyId, secretAccessKey } = server.key;
    const refused = await list({ credentials: { accessKeyId, secretAccessKey } });
    assert.deepEqual([refused.error, refused.status], ["AccessDeniedException", 403]);
  });

  test("stay in the function's region", async () => {
    const refused = await list({ region: "eu-west-1" });
    assert.deepEqual([refused.error, refused.status], ["AccessDeniedException", 403]);
    assert.match(refused.message ?? "", /us-east-1.*eu-west-1/u);
  });

  test("stay in the function's account, whatever account its role names", async () => {
    await makeFunction(clients.lambda, "elsewhere", { files: NODE_CALLER, Role: "arn:aws:iam::111122223333:role/theirs" });
    const { answer } = await tell("elsewhere", { service: "sts", operation: "getCallerIdentity", input: {} });
    assert.equal(answer?.["Account"], ACCOUNT);
    const listed = await tell("elsewhere", { service: "lambda", operation: "getFunctionConfiguration", input: { FunctionName } });
    assert.equal(listed.answer?.["Role"], ROLE);
  });

  test("with another secret, or without their token, are nobody's", async () => {
    const { lambda: forged } = javascriptClients(server, { credentials: { ...stolen, secretAccessKey: "guessed" } });
    await assert.rejects(forged.listFunctions({}), { name: "InvalidSignatureException" });
    const { sessionToken: _token, ...tokenless } = stolen;
    const { lambda: bare } = javascriptClients(server, { credentials: tokenless });
    await assert.rejects(bare.listFunctions({}), { name: "UnrecognizedClientException" });
    forged.destroy();
    bare.destroy();
  });

  test("reach nothing but the instance's own endpoint from inside a confined function", async () => {
    const settings = { endpoint: server.url, requestHandler: { requestTimeout: 2_000, connectionTimeout: 2_000 } };
    const { answer, status } = await list(settings);
    if (server.confined) assert.deepEqual([answer, status], [undefined, undefined], "the main listener answered");
    else assert.ok(answer ?? status);
  });
});
