import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isLambentError, systemSecureRandom } from "../../src/base/index.ts";
import { openBlobs } from "../../src/storage/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const open = (folder: string) => openBlobs(folder, systemSecureRandom);
const sha256 = (body: Uint8Array): string => createHash("sha256").update(body).digest("hex");

void test("a body is kept under its SHA-256, once, whole or in pieces", async (t) => {
  const folder = join(temporaryFolder(t), "blobs");
  const blobs = await open(folder);
  const body = Buffer.from("some code".repeat(1_000));
  async function* pieces(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < body.length; at += 100) yield body.subarray(at, at + 100);
  }
  const both = await Promise.all([blobs.put(body), blobs.put(pieces())]);
  for (const written of both) assert.deepEqual(written, { digest: sha256(body), bytes: body.length });
  assert.deepEqual(await blobs.get(sha256(body)), body);
  assert.deepEqual(readdirSync(join(folder, sha256(body).slice(0, 2))), [sha256(body)]);
  assert.deepEqual(readdirSync(join(folder, "incoming")), []);
  assert.deepEqual(await (await open(folder)).get(sha256(body)), body);
});

void test("what is absent is undefined, what is deleted is absent, and deleting twice is nothing", async (t) => {
  const blobs = await open(join(temporaryFolder(t), "blobs"));
  const { digest } = await blobs.put(Buffer.alloc(0));
  assert.equal(await blobs.has(digest), true);
  await blobs.delete(digest);
  await blobs.delete(digest);
  assert.equal(await blobs.has(digest), false);
  assert.equal(await blobs.get(digest), undefined);
  await assert.rejects(blobs.get("../../etc/passwd"), /no SHA-256/);
});

void test("a body whose bytes changed on the disk is refused", async (t) => {
  const folder = join(temporaryFolder(t), "blobs");
  const blobs = await open(folder);
  const { digest } = await blobs.put(Buffer.from("right"));
  writeFileSync(join(folder, digest.slice(0, 2), digest), "wrong");
  await assert.rejects(blobs.get(digest), (error) => isLambentError(error, "StorageCorrupt") && error.message.includes(digest));
});

void test("half-written bodies are swept at open, and a source that fails leaves none", async (t) => {
  const folder = join(temporaryFolder(t), "blobs");
  mkdirSync(join(folder, "incoming"), { recursive: true });
  writeFileSync(join(folder, "incoming", "left-by-a-crash"), "half");
  const blobs = await open(folder);
  assert.deepEqual(readdirSync(join(folder, "incoming")), []);
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield Buffer.from("some");
    throw new RangeError("the sender went away");
  }
  await assert.rejects(blobs.put(failing()), RangeError);
  assert.deepEqual(readdirSync(join(folder, "incoming")), []);
  assert.ok(existsSync(folder) && statSync(folder).isDirectory());
});
