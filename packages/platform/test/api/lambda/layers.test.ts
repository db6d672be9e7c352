import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  AddLayerVersionPermissionCommand,
  DeleteLayerVersionCommand,
  GetLayerVersionByArnCommand,
  GetLayerVersionCommand,
  GetLayerVersionPolicyCommand,
  ListLayersCommand,
  ListLayerVersionsCommand,
  PublishLayerVersionCommand,
  RemoveLayerVersionPermissionCommand,
} from "@aws-sdk/client-lambda";
import { refused, startLambda } from "../../support/lambda-api.ts";
import { zipOf } from "../../support/zips.ts";

const LAYER_ARN = "arn:aws:lambda:us-east-1:000000000000:layer:base";

describe("Lambda's API: layers", () => {
  it("are published, used by functions, listed, shared and deleted", async (test) => {
    const { client, create } = await startLambda(test);
    const publish = async (text: string) =>
      await client.send(
        new PublishLayerVersionCommand({
          LayerName: "base",
          Description: text,
          CompatibleRuntimes: ["nodejs22.x"],
          Content: { ZipFile: await zipOf({ "nodejs/x.js": text }) },
        }),
      );
    assert.deepEqual([(await publish("a")).Version, (await publish("b")).LayerVersionArn], [1, `${LAYER_ARN}:2`]);
    const made = await create({ Layers: [`${LAYER_ARN}:1`] });
    assert.deepEqual(
      made.Layers?.map((layer) => layer.Arn),
      [`${LAYER_ARN}:1`],
    );
    await assert.rejects(
      create({ FunctionName: "b", Layers: [`${LAYER_ARN}:9`] }),
      refused("InvalidParameterValueException", 400, /does not exist/),
    );
    await assert.rejects(
      create({ FunctionName: "b", Layers: ["arn:aws:lambda:us-east-1:111111111111:layer:base:1"] }),
      refused("InvalidParameterValueException", 400, /does not exist/),
    );
    assert.deepEqual(
      (await client.send(new ListLayersCommand({}))).Layers?.map((layer) => [layer.LayerName, layer.LatestMatchingVersion?.Version]),
      [["base", 2]],
    );
    assert.deepEqual((await client.send(new ListLayersCommand({ CompatibleRuntime: "python3.12" }))).Layers, []);
    assert.deepEqual(
      (await client.send(new ListLayerVersionsCommand({ LayerName: "base" }))).LayerVersions?.map((version) => version.Version),
      [2, 1],
    );
    const byArn = await client.send(new GetLayerVersionByArnCommand({ Arn: `${LAYER_ARN}:2` }));
    assert.deepEqual([byArn.Description, byArn.LayerArn], ["b", LAYER_ARN]);
    const share = { LayerName: "base", VersionNumber: 1, StatementId: "all", Action: "lambda:GetLayerVersion", Principal: "*" };
    const { RevisionId } = await client.send(new AddLayerVersionPermissionCommand(share));
    assert.equal((await client.send(new GetLayerVersionPolicyCommand({ LayerName: "base", VersionNumber: 1 }))).RevisionId, RevisionId);
    await client.send(new RemoveLayerVersionPermissionCommand({ LayerName: "base", VersionNumber: 1, StatementId: "all" }));
    await assert.rejects(
      client.send(new GetLayerVersionPolicyCommand({ LayerName: "base", VersionNumber: 1 })),
      refused("ResourceNotFoundException", 404, /No policy/),
    );
    await client.send(new DeleteLayerVersionCommand({ LayerName: "base", VersionNumber: 2 }));
    await assert.rejects(
      client.send(new GetLayerVersionCommand({ LayerName: "base", VersionNumber: 2 })),
      refused("ResourceNotFoundException", 404, /layer:base:2/),
    );
    assert.equal((await publish("c")).Version, 3, "numbers are not used twice");
  });
});
