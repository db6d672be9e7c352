/** What was acknowledged is there after a stop and a start on the same data folder. (P1) */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { call, javascriptClients, makeFunction, startServerWithClients } from "../support/javascript-clients.ts";
import { zipOf } from "../support/zips.ts";
import { policyText, TRUST } from "./javascript/iam-roles.ts";
import { known } from "./javascript/cases.ts";
import { openUrl } from "./javascript/lambda-settings.ts";

const FunctionName = "kept";
const { server, clients } = await startServerWithClients();

async function everything() {
  const { lambda, iam, logs } = clients;
  const { $metadata: _one, Code: _code, ...read } = await lambda.getFunction({ FunctionName });
  const { Versions } = await lambda.listVersionsByFunction({ FunctionName });
  const { Aliases } = await lambda.listAliases({ FunctionName });
  const { Policy, RevisionId } = await lambda.getPolicy({ FunctionName });
  const { FunctionUrlConfigs } = await lambda.listFunctionUrlConfigs({ FunctionName });
  const { Layers } = await lambda.listLayers({});
  const { FunctionEventInvokeConfigs } = await lambda.listFunctionEventInvokeConfigs({ FunctionName });
  const { Role } = await iam.getRole({ RoleName: FunctionName });
  const { PolicyDocument } = await iam.getRolePolicy({ RoleName: FunctionName, PolicyName: "inline" });
  const { events } = await logs.filterLogEvents({ logGroupName: `/aws/lambda/${FunctionName}`, filterPattern: "before" });
  return {
    read,
    Versions,
    Aliases,
    Policy,
    RevisionId,
    FunctionUrlConfigs,
    Layers,
    FunctionEventInvokeConfigs,
    Role,
    PolicyDocument,
    events,
  };
}

describe("after a restart on the same data folder", () => {
  test("functions, versions, aliases, layers, policies, URLs, roles and logs are as they were, and functions work", async () => {
    const { lambda, iam } = clients;
    const { Role } = await iam.createRole({ RoleName: FunctionName, AssumeRolePolicyDocument: TRUST, Tags: [{ Key: "a", Value: "b" }] });
    await iam.putRolePolicy({
      RoleName: FunctionName,
      PolicyName: "inline",
      PolicyDocument: policyText({ Action: "logs:*", Resource: "*" }),
    });
    const layer = await lambda.publishLayerVersion({
      LayerName: "kept",
      Content: { ZipFile: await zipOf({ "nodejs/node_modules/kept/index.js": "module.exports = 1;" }) },
    });
    await makeFunction(lambda, FunctionName, {
      Publish: true,
      Role: known(Role?.Arn),
      Layers: [known(layer.LayerVersionArn)],
      Environment: { Variables: { SECRET: "still known" } },
      Tags: { team: "blue" },
      files: { "index.mjs": "export const handler = async (event) => { console.log(event.when); return process.env.SECRET; };" },
    });
    await lambda.createAlias({ FunctionName, Name: "live", FunctionVersion: "1" });
    await lambda.createFunctionUrlConfig({ FunctionName, AuthType: "NONE" });
    await openUrl({ stage: clients }, FunctionName);
    await lambda.putFunctionConcurrency({ FunctionName, ReservedConcurrentExecutions: 5 });
    await lambda.putFunctionEventInvokeConfig({ FunctionName, MaximumRetryAttempts: 1 });
    assert.equal((await call(lambda, FunctionName, { when: "before" })).value, "still known");
    const before = await everything();
    assert.equal(before.events?.length, 1);

    const { pid } = server;
    await server.restart();
    assert.notEqual(server.pid, pid);
    assert.deepEqual(await everything(), before);
    assert.equal((await call(lambda, FunctionName, { when: "after" }, { Qualifier: "live" })).value, "still known");
    assert.equal(await (await fetch(known(before.FunctionUrlConfigs?.[0]?.FunctionUrl))).text(), '"still known"');
    assert.equal((await lambda.getAccountSettings({})).AccountLimit?.UnreservedConcurrentExecutions, 995);
  });

  test("sessions issued before it are still good", async () => {
    const { Credentials } = await clients.sts.getSessionToken({});
    await server.restart();
    const session = javascriptClients(server, {
      credentials: {
        accessKeyId: known(Credentials?.AccessKeyId),
        secretAccessKey: known(Credentials?.SecretAccessKey),
        sessionToken: known(Credentials?.SessionToken),
      },
    });
    assert.equal((await session.sts.getCallerIdentity({})).Account, server.key.account);
    session.close();
  });
});
