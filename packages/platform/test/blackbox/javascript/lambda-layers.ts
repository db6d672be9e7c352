import assert from "node:assert/strict";
import { InvalidParameterValueException, ResourceConflictException, ResourceNotFoundException } from "@aws-sdk/client-lambda";
import { ACCOUNT, call, type JavaScriptClients, untilUpdated } from "../../support/javascript-clients.ts";
import { zipOf } from "../../support/zips.ts";
import { known, type OperationCase, type Stage } from "./cases.ts";

const layerArn = (name: string, region = "us-east-1"): string => `arn:aws:lambda:${region}:${ACCOUNT}:layer:${name}`;
const SHARED = { StatementId: "everybody", Action: "lambda:GetLayerVersion", Principal: "*" };

async function layered({ lambda }: JavaScriptClients, name: string): Promise<string> {
  const ZipFile = await zipOf({ "nodejs/node_modules/greeting/index.js": `module.exports = "from ${name}";`, "data/text.txt": name });
  await lambda.publishLayerVersion({ LayerName: name, Description: name, CompatibleRuntimes: ["nodejs22.x"], Content: { ZipFile } });
  return name;
}

async function shared({ stage }: Stage, name: string): Promise<string> {
  await layered(stage, name);
  await stage.lambda.addLayerVersionPermission({ LayerName: name, VersionNumber: 1, ...SHARED });
  return name;
}

/** Layers, and who else may use them. */
export const layerCases: Readonly<Record<string, OperationCase>> = {
  PublishLayerVersion: {
    async does({ server, js, stage, made }) {
      const { LayerVersionArn } = await js.lambda.publishLayerVersion({
        LayerName: "publish-layer",
        LicenseInfo: "Apache-2.0",
        CompatibleRuntimes: ["nodejs22.x"],
        CompatibleArchitectures: ["x86_64"],
        Content: {
          ZipFile: await zipOf({ "nodejs/node_modules/greeting/index.js": 'module.exports = "from a layer";', "data.txt": "text" }),
        },
      });
      const FunctionName = await made("uses-layer", {
        Layers: [known(LayerVersionArn)],
        files: {
          "index.js": `exports.handler = async () => require("greeting");
            exports.file = async () => require("node:fs").readFileSync("/opt/data.txt", "utf8");`,
        },
      });
      assert.equal((await call(stage.lambda, FunctionName)).value, "from a layer");
      await stage.lambda.updateFunctionConfiguration({ FunctionName, Handler: "index.file" });
      await untilUpdated(stage.lambda, FunctionName);
      // A plain process sees the machine's own /opt: there a layer's modules are found, its files are not at that path.
      const { value } = await call(stage.lambda, FunctionName);
      if (server.confined) assert.equal(value, "text");
    },
    refuses: [
      ({ js }) => js.lambda.publishLayerVersion({ LayerName: "no-zip", Content: { ZipFile: Buffer.from("this is no zip") } }),
      InvalidParameterValueException,
      400,
    ],
  },
  GetLayerVersion: {
    async does({ js, stage }) {
      const read = await js.lambda.getLayerVersion({ LayerName: await layered(stage, "get-layer"), VersionNumber: 1 });
      assert.equal(read.Description, "get-layer");
      const zip = await (await fetch(known(read.Content?.Location))).bytes();
      assert.equal(zip.length, read.Content?.CodeSize);
    },
    refuses: [({ js }) => js.lambda.getLayerVersion({ LayerName: "nowhere", VersionNumber: 1 }), ResourceNotFoundException, 404],
  },
  GetLayerVersionByArn: {
    async does({ js, stage }) {
      const Arn = `${layerArn(await layered(stage, "by-arn"))}:1`;
      assert.equal((await js.lambda.getLayerVersionByArn({ Arn })).LayerVersionArn, Arn);
    },
    refuses: [({ js }) => js.lambda.getLayerVersionByArn({ Arn: `${layerArn("nowhere")}:1` }), ResourceNotFoundException, 404],
  },
  ListLayers: {
    async does({ recorded, direct }) {
      const region = "eu-north-1";
      for (const name of ["a", "b"]) await layered(direct({ region }), name);
      const { lambda } = recorded({ region });
      const { Layers, NextMarker } = await lambda.listLayers({ MaxItems: 1, CompatibleRuntime: "nodejs22.x" });
      const rest = await lambda.listLayers({ Marker: known(NextMarker) });
      assert.deepEqual(
        [...known(Layers), ...known(rest.Layers)].map((layer) => layer.LayerArn),
        [layerArn("a", region), layerArn("b", region)],
      );
    },
    refuses: [({ js }) => js.lambda.listLayers({ MaxItems: 51 }), InvalidParameterValueException, 400],
  },
  ListLayerVersions: {
    async does({ js, stage }) {
      await layered(stage, "layer-versions");
      await layered(stage, "layer-versions");
      const { LayerVersions } = await js.lambda.listLayerVersions({ LayerName: "layer-versions" });
      assert.deepEqual(
        LayerVersions?.map((each) => each.Version),
        [2, 1],
      );
    },
    refuses: [({ js }) => js.lambda.listLayerVersions({ LayerName: "layer-versions", MaxItems: 0 }), InvalidParameterValueException, 400],
  },
  DeleteLayerVersion: {
    async does({ js, stage }) {
      const LayerName = await layered(stage, "delete-layer");
      await js.lambda.deleteLayerVersion({ LayerName, VersionNumber: 1 });
      await assert.rejects(stage.lambda.getLayerVersion({ LayerName, VersionNumber: 1 }), ResourceNotFoundException);
    },
    refuses: [
      ({ js }) => js.lambda.deleteLayerVersion({ LayerName: "not:a:layer", VersionNumber: 1 }),
      InvalidParameterValueException,
      400,
    ],
  },
  AddLayerVersionPermission: {
    async does({ js, stage }) {
      const LayerName = await layered(stage, "share-layer");
      const { RevisionId } = await js.lambda.addLayerVersionPermission({ LayerName, VersionNumber: 1, ...SHARED });
      const read = await stage.lambda.getLayerVersionPolicy({ LayerName, VersionNumber: 1 });
      assert.equal(read.RevisionId, RevisionId);
      assert.match(known(read.Policy), /"Sid":"everybody"/u);
    },
    refuses: [
      async (stage) =>
        stage.js.lambda.addLayerVersionPermission({ LayerName: await shared(stage, "shared-twice"), VersionNumber: 1, ...SHARED }),
      ResourceConflictException,
      409,
    ],
  },
  GetLayerVersionPolicy: {
    async does(stage) {
      const { Policy } = await stage.js.lambda.getLayerVersionPolicy({ LayerName: await shared(stage, "layer-policy"), VersionNumber: 1 });
      assert.match(known(Policy), /"Principal":"\*"/u);
    },
    refuses: [
      async ({ js, stage }) => js.lambda.getLayerVersionPolicy({ LayerName: await layered(stage, "own-layer"), VersionNumber: 1 }),
      ResourceNotFoundException,
      404,
    ],
  },
  RemoveLayerVersionPermission: {
    async does(stage) {
      const LayerName = await shared(stage, "unshare-layer");
      await stage.js.lambda.removeLayerVersionPermission({ LayerName, VersionNumber: 1, StatementId: "everybody" });
      await assert.rejects(stage.stage.lambda.getLayerVersionPolicy({ LayerName, VersionNumber: 1 }), ResourceNotFoundException);
    },
    refuses: [
      async (stage) =>
        stage.js.lambda.removeLayerVersionPermission({
          LayerName: await shared(stage, "unshare-other"),
          VersionNumber: 1,
          StatementId: "other",
        }),
      ResourceNotFoundException,
      404,
    ],
  },
};
