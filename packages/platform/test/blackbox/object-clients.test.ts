/** Objects by the AWS CLI and by boto3's transfers, against a real server: whole folders, large files, long listings. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { paginateListObjectsV2 } from "@aws-sdk/client-s3";
import { seededRandom } from "../../src/base/index.ts";
import { startServerWithClients } from "../support/javascript-clients.ts";
import { runProgram } from "../support/lambent-process.ts";
import { runPythonCases } from "../support/python-cases.ts";
import { sendSigned } from "../support/signed-http.ts";
import { known } from "./javascript/cases.ts";

const { server, clients } = await startServerWithClients();
const { s3 } = clients;
const folder = mkdtempSync(join(tmpdir(), "lambent-objects-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const SOURCES = fileURLToPath(new URL("../../src/api", import.meta.url));

/** Runs `aws --endpoint-url … <words>`; what it printed. */
async function aws(...words: readonly string[]): Promise<string> {
  // This CLI looks past AWS_ENDPOINT_URL for s3.
  const { exit, out, err } = await runProgram("aws", ["--endpoint-url", server.url, ...words], { ...server.clientEnvironment });
  assert.equal(exit, 0, `aws ${words.join(" ")}: ${err}`);
  return out;
}

/** Every file below `top` with what is in it. */
function filesOf(top: string): Readonly<Record<string, string>> {
  const found = readdirSync(top, { recursive: true, encoding: "utf8" }).filter((name) => statSync(join(top, name)).isFile());
  return Object.fromEntries(
    found.toSorted().map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(join(top, name)))
        .digest("hex"),
    ]),
  );
}

describe("the AWS CLI", () => {
  test("mb, and sync of a source tree there and back: the same names and bytes, and nothing the second time", async () => {
    assert.match(await aws("s3", "mb", "s3://tree"), /make_bucket: tree/u);
    const tree = join(folder, "tree");
    cpSync(SOURCES, tree, { recursive: true });
    mkdirSync(join(tree, "文件 夹"));
    for (const [name, text] of [
      ["empty", ""],
      ["with a blank.txt", "x"],
      ["文件 夹/猫 + 100%.txt", "猫"],
      ["#1 & 2.txt", "y"],
    ] as const)
      writeFileSync(join(tree, name), text);
    const names = Object.keys(filesOf(tree));
    const sent = await aws("s3", "sync", "--no-progress", tree, "s3://tree/sources");
    assert.equal(sent.split("\n").filter((line) => line.startsWith("upload: ")).length, names.length);
    assert.equal(await aws("s3", "sync", "--no-progress", tree, "s3://tree/sources"), "");
    await aws("s3", "sync", "--quiet", "s3://tree/sources", join(folder, "back"));
    assert.deepEqual(filesOf(join(folder, "back")), filesOf(tree));
    const listed = await aws("s3", "ls", "--recursive", "s3://tree/sources/");
    assert.equal(listed.trim().split("\n").length, names.length);
    assert.match(listed, / 0 sources\/empty\n/u);
    assert.match(await aws("s3", "ls", "s3://tree/sources/"), /PRE 文件 夹\/\n/u);
  });

  test("cp of 17 and 60 MiB in parts both ways, mv, presign, rm, rb", async () => {
    await aws("s3", "mb", "s3://large");
    const large = join(folder, "large");
    mkdirSync(large);
    const random = seededRandom(7);
    const million = Uint32Array.from({ length: 262_144 }, () => random.next() * 2 ** 32);
    for (const size of [17, 60]) {
      const bytes = Buffer.concat(
        Array.from({ length: size }, (_, n) => Buffer.concat([Buffer.from([n]), Buffer.from(million.buffer).subarray(1)])),
      );
      writeFileSync(join(large, `${size}.bin`), Buffer.concat([bytes, Buffer.from("end")]));
    }
    await aws("s3", "cp", "--quiet", "--recursive", large, "s3://large/");
    const { ETag, ContentLength } = await s3.headObject({ Bucket: "large", Key: "60.bin" });
    assert.deepEqual([ContentLength, ETag?.endsWith('-8"')], [60 * 1024 * 1024 + 3, true]);
    await aws("s3", "mv", "--quiet", "s3://large/17.bin", "s3://large/moved/seventeen.bin");
    await aws("s3", "cp", "--quiet", "--recursive", "s3://large/", join(folder, "large-back"));
    const [was, is] = [filesOf(large), filesOf(join(folder, "large-back"))];
    assert.deepEqual(is, { "60.bin": was["60.bin"], "moved/seventeen.bin": was["17.bin"] });
    const url = (await aws("s3", "presign", "s3://large/moved/seventeen.bin", "--expires-in", "60")).trim();
    const got = Buffer.from(await (await fetch(url)).arrayBuffer());
    assert.equal(createHash("sha256").update(got).digest("hex"), was["17.bin"]);
    await aws("s3", "rm", "--quiet", "s3://large/60.bin");
    assert.equal((await s3.listObjectsV2({ Bucket: "large" })).KeyCount, 1);
    assert.match(await aws("s3", "rb", "--force", "s3://large"), /remove_bucket: large/u);
  });
});

test("2,500 objects are listed page by page by every client, and deleted a thousand at a time", async (context) => {
  const AT_ONCE = 16;
  const Bucket = "many";
  const keys = ["\u0001 first", ...Array.from({ length: 2_499 }, (_, n) => `folder ${n % 10}/${n}`)];
  const waiting = [...keys];
  await s3.createBucket({ Bucket });
  const store = async (): Promise<void> => {
    for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
      const call = { method: "PUT", path: `/${Bucket}/${encodeURIComponent(key).replaceAll("%2F", "/")}`, body: "x" };
      assert.equal((await sendSigned(server.url, call, server.key, "s3")).status, 200);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, store));
  const listed: string[] = [];
  for await (const page of paginateListObjectsV2({ client: s3, pageSize: 900 }, { Bucket, EncodingType: "url" }))
    listed.push(...(page.Contents ?? []).map(({ Key }) => decodeURIComponent(known(Key).replaceAll("+", " "))));
  assert.deepEqual(listed, keys.toSorted());
  const counted = await aws("s3api", "list-objects-v2", "--bucket", Bucket, "--page-size", "400", "--query", "length(Contents)");
  assert.equal(counted.trim(), "2500");

  const script = fileURLToPath(new URL("boto3/object_transfers.py", import.meta.url));
  for (const { operation, error } of await runPythonCases(script, { ...server.clientEnvironment, RECORDER_URL: server.url }))
    await context.test(`boto3: ${operation}`, () => assert.equal(error, null, error ?? ""));

  // A name that XML cannot hold is deleted alone.
  await s3.deleteObject({ Bucket, Key: "\u0001 first" });
  const others = keys.slice(1).map((Key) => ({ Key }));
  await assert.rejects(s3.deleteObjects({ Bucket, Delete: { Objects: others.slice(0, 1_001) } }), { name: "MalformedXML" });
  for (let from = 0; from < others.length; from += 1_000) {
    const { Errors } = await s3.deleteObjects({ Bucket, Delete: { Objects: others.slice(from, from + 1_000), Quiet: true } });
    assert.equal(Errors, undefined);
  }
  await s3.deleteBucket({ Bucket });
});
