import assert from "node:assert/strict";
import { existsSync, globSync } from "node:fs";
import { after, before, test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { CreateFunctionCommand, LambdaServiceException, ListFunctionsCommand, UpdateFunctionCodeCommand } from "@aws-sdk/client-lambda";
import { type RealServer, startServer } from "../support/server.ts";
import { type RawEntry, rawZip, zipOf } from "../support/zips.ts";
import { dataFolderOf, Functions, holdingsOf, residentMbOf, ROLE_ARN } from "./functions.ts";

/** Deployment packages that attack the unpacking, through the API people use. */

const MIB = 1_048_576;
const LINK = 0o120_777;
const GOOD: RawEntry = { name: "index.mjs", content: "export const handler = async () => 1;" };

const manyZeros = deflateRawSync(Buffer.alloc(300 * MIB));

const ATTACKS: Readonly<Record<string, () => Buffer>> = {
  "../ in a name": () => rawZip([GOOD, { name: "../../escaped.txt", content: "x" }]),
  "../ behind a folder": () => rawZip([GOOD, { name: "a/../../escaped.txt", content: "x" }]),
  "an absolute name": () => rawZip([GOOD, { name: "/tmp/lambent-escaped.txt", content: "x" }]),
  backslashes: () => rawZip([GOOD, { name: "..\\..\\escaped.txt", content: "x" }]),
  "a zero byte in a name": () => rawZip([GOOD, { name: "a\0.txt", content: "x" }]),
  "a link that leaves": () => rawZip([GOOD, { name: "out", content: "../../../../etc/passwd", mode: LINK }]),
  "an absolute link": () => rawZip([GOOD, { name: "out", content: "/etc/passwd", mode: LINK }]),
  "a file through a link": () => rawZip([GOOD, { name: "out", content: "..", mode: LINK }, { name: "out/escaped.txt", content: "x" }]),
  "a device": () => rawZip([GOOD, { name: "null", mode: 0o020_666 }]),
  "a bomb that says so": () => rawZip([GOOD, { name: "zeros", packed: manyZeros, claimedBytes: 300 * MIB }]),
  "a bomb that says it is small": () => rawZip([GOOD, { name: "zeros", packed: manyZeros, claimedBytes: 1_000 }]),
  "a bomb of many overlapping entries": () =>
    rawZip([
      { name: "zeros", packed: manyZeros.subarray(0, 200_000), claimedBytes: 200 * MIB },
      ...Array.from({ length: 50 }, (_, index) => ({
        name: `zeros-${index}`,
        packed: manyZeros.subarray(0, 200_000),
        claimedBytes: 200 * MIB,
        overlaps: true,
      })),
    ]),
  "more entries than it may have": () => rawZip(Array.from({ length: 60_000 }, (_, index) => ({ name: `f${index}` }))),
  "a wrong checksum": () => rawZip([{ ...GOOD, claimedCrc32: 1 }]),
  "truncated in its directory": () => rawZip([GOOD]).subarray(0, -10),
  "truncated in its content": () => rawZip([{ name: "index.mjs", content: "x".repeat(5_000), method: 0 }]).subarray(0, 2_000),
  "no entries": () => rawZip([]),
  "no zip at all": () => Buffer.from("this is no zip"),
};

let server: RealServer;
let functions: Functions;

before(async () => {
  server = await startServer();
  functions = new Functions(server);
});

after(async () => {
  functions.close();
  await server.stop();
});

const create = (name: string, zip: Buffer) =>
  functions.client.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Runtime: "nodejs22.x",
      Handler: "index.handler",
      Role: ROLE_ARN,
      Code: { ZipFile: zip },
    }),
  );

function refusedAsCode(error: unknown): true {
  assert.ok(error instanceof LambdaServiceException, String(error));
  assert.deepEqual([error.name, error.$metadata.httpStatusCode], ["InvalidParameterValueException", 400]);
  assert.notEqual(error.message, "");
  return true;
}

for (const [what, make] of Object.entries(ATTACKS)) {
  test(`a package with ${what} is refused and leaves nothing`, async () => {
    const zip = make();
    await assert.rejects(create("attacked", zip), refusedAsCode);
    const { Functions: there } = await functions.client.send(new ListFunctionsCommand({}));
    assert.deepEqual(there, []);
    const data = dataFolderOf(server.pid);
    assert.deepEqual(globSync(["**/escaped*", "**/zeros*", "tmp/*", "trees/*"], { cwd: data }), []);
    assert.equal(existsSync("/tmp/lambent-escaped.txt"), false);
  });
}

test("an empty package is refused by its length", async () => {
  await assert.rejects(create("attacked", Buffer.alloc(0)), LambdaServiceException);
});

test("a function whose update was refused goes on with the code it had", async () => {
  await functions.create("steady", "nodejs22.x", "export const handler = async () => 'first';");
  const zip = rawZip([{ name: "../escaped.txt", content: "x" }]);
  await assert.rejects(functions.client.send(new UpdateFunctionCodeCommand({ FunctionName: "steady", ZipFile: zip })), refusedAsCode);
  assert.equal((await functions.call("steady")).value, "first");
  await functions.client.send(
    new UpdateFunctionCodeCommand({
      FunctionName: "steady",
      ZipFile: await zipOf({ "index.mjs": "export const handler = async () => 'second';" }),
    }),
  );
  await functions.settled("steady");
  assert.equal((await functions.call("steady")).value, "second");
  assert.ok(residentMbOf(server.pid) < 500, `the server holds ${residentMbOf(server.pid)} MB after the bombs`);
  assert.ok(holdingsOf(server.pid).slots <= 4);
});
