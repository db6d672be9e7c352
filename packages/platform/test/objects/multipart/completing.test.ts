import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import { createHash } from "node:crypto";
import { decideCompletion, etagOfParts, isKept, PART_BYTES_MIN } from "../../../src/objects/multipart/completing.ts";
import { checkedChecksum, type Upload, type UploadedPart } from "../../../src/objects/multipart/upload.ts";
import { md5Of, named, NO_ATTRIBUTES, refusedAs } from "./world.ts";

const UPLOAD: Upload = {
  ...{ key: "a", id: "01890000-0000-7000-8000-000000000001", attributes: NO_ATTRIBUTES, initiatedAt: 0 },
  ...{ owner: "000000000000", initiator: "AIDAROOT" },
};
const partOf = (number: number, content: string, more: Partial<UploadedPart> = {}): UploadedPart => ({
  ...{ number, bytes: content.length, md5: md5Of(content), modifiedAt: 0, file: `file-${number}` },
  ...more,
});
const uploadedOf = (...parts: readonly UploadedPart[]) => new Map(parts.map((part) => [part.number, part]));

test("the ETag is the MD5 of the parts' MD5s and their count", () => {
  // By md5sum: of "hello ", of "world", and of the 32 bytes of both.
  const md5s = ["f814893777bcc2295fff05f00e508da6", "7d793037a0760186574b0282f2f435e7"];
  assert.deepEqual([md5Of("hello "), md5Of("world")], md5s);
  assert.equal(etagOfParts(md5s), "e09e4fd6265b36115fe3db32df945d84-2");
  assert.equal(etagOfParts(md5s.slice(1)), "6b1a0a0ffc1aa4313a9532c3d848b7a8-1");
});

test("parts are refused in another order, when they are not there, and when they are another one now", () => {
  const uploaded = uploadedOf(partOf(1, "a"), partOf(2, "b"));
  const completing = (...parts: readonly { readonly number: number; readonly etag: string }[]) =>
    decideCompletion(UPLOAD, uploaded, { parts }, 0);
  const [a, b] = [md5Of("a"), md5Of("b")];
  assert.throws(() => completing(), refusedAs("InvalidParameter", /at least one/u));
  assert.throws(() => completing({ number: 2, etag: b }, { number: 1, etag: a }), refusedAs("InvalidPartOrder"));
  assert.throws(() => completing({ number: 1, etag: a }, { number: 1, etag: a }), refusedAs("InvalidPartOrder"));
  assert.throws(() => completing({ number: 3, etag: a }), refusedAs("InvalidPart", /not uploaded/u));
  assert.throws(() => completing({ number: 1, etag: b }), refusedAs("InvalidPart", /has the ETag/u));
  assert.throws(() => completing({ number: 0, etag: a }), refusedAs("InvalidParameter", /1 to 10000/u));
  assert.throws(() => completing({ number: 10_001, etag: a }), refusedAs("InvalidParameter"));
  assert.equal(completing({ number: 1, etag: a.toUpperCase() }).bytes, 1);
});

test("every part but the last one has at least 5 MiB", () => {
  const large = partOf(1, "a", { bytes: PART_BYTES_MIN });
  const small = partOf(2, "b", { bytes: PART_BYTES_MIN - 1 });
  const uploaded = uploadedOf(large, small, partOf(3, ""));
  assert.equal(decideCompletion(UPLOAD, uploaded, { parts: [large, small].map(named) }).bytes, 2 * PART_BYTES_MIN - 1);
  const parts = [large, small, partOf(3, "")].map(named);
  assert.throws(() => decideCompletion(UPLOAD, uploaded, { parts }), refusedAs("PartTooSmall", /Part 2 has 5242879/u));
});

test("the size that is said has to be the size there is", () => {
  const uploaded = uploadedOf(partOf(1, "abc"));
  const parts = [named(partOf(1, "abc"))];
  assert.equal(decideCompletion(UPLOAD, uploaded, { parts, expectedBytes: 3 }).bytes, 3);
  assert.throws(() => decideCompletion(UPLOAD, uploaded, { parts, expectedBytes: 4 }), refusedAs("InvalidParameter", /not 4/u));
});

test("a COMPOSITE checksum is that of the parts' checksums", () => {
  const contents = ["hello ", "world"];
  const digests = contents.map((content) => createHash("sha256").update(content).digest());
  const parts = contents.map((content, index) =>
    partOf(index + 1, content, { checksum: { algorithm: "SHA256", value: digests[index]?.toString("base64") ?? "" } }),
  );
  const upload = { ...UPLOAD, checksum: checkedChecksum({ algorithm: "SHA256" }) };
  const value = createHash("sha256").update(Buffer.concat(digests)).digest("base64");
  const completed = decideCompletion(upload, uploadedOf(...parts), { parts: parts.map(named) }, 0);
  assert.deepEqual(completed.checksum, { algorithm: "SHA256", type: "COMPOSITE", value });
  const asked = (said: string) =>
    decideCompletion(upload, uploadedOf(...parts), { parts: parts.map(named), checksum: { algorithm: "SHA256", value: said } }, 0);
  assert.equal(asked(`${value}-2`).bytes, 11);
  assert.equal(asked(value).bytes, 11);
  assert.throws(() => asked(Buffer.alloc(32).toString("base64")), refusedAs("ChecksumMismatch"));
});

test("a FULL_OBJECT checksum is that of the object, without its bytes", () => {
  const contents = ["hello ", "", "world"];
  const base64 = (content: string) => {
    const digest = Buffer.alloc(4);
    digest.writeUInt32BE(crc32(content));
    return digest.toString("base64");
  };
  const parts = contents.map((content, index) => partOf(index + 1, content, { checksum: { algorithm: "CRC32", value: base64(content) } }));
  const upload = { ...UPLOAD, checksum: checkedChecksum({ algorithm: "CRC32", type: "FULL_OBJECT" }) };
  const request = { parts: parts.map(named) };
  const completed = decideCompletion(upload, uploadedOf(...parts), request, 0);
  assert.deepEqual(completed.checksum, { algorithm: "CRC32", type: "FULL_OBJECT", value: base64("hello world") });
  const wrong = { ...request, checksum: { type: "COMPOSITE" as const } };
  assert.throws(() => decideCompletion(upload, uploadedOf(...parts), wrong, 0), refusedAs("InvalidParameter", /FULL_OBJECT/u));
});

test("a part's checksum has to be the one that was uploaded", () => {
  const part = partOf(1, "a", { checksum: { algorithm: "CRC32", value: "6Le+Qw==" } });
  const upload = { ...UPLOAD, checksum: checkedChecksum({ algorithm: "CRC32" }) };
  const complete = (checksum: NonNullable<UploadedPart["checksum"]>) =>
    decideCompletion(upload, uploadedOf(part), { parts: [{ number: 1, etag: part.md5, checksum }] }, 0);
  assert.equal(complete({ algorithm: "CRC32", value: "6Le+Qw==" }).bytes, 1);
  assert.throws(() => complete({ algorithm: "CRC32", value: "AAAAAA==" }), refusedAs("InvalidPart"));
  assert.throws(() => complete({ algorithm: "SHA1", value: "AAAAAA==" }), refusedAs("InvalidPart"));
});

test("a digest that the upload cannot check is refused", () => {
  const part = partOf(1, "a");
  const complete = (checksum: NonNullable<Parameters<typeof decideCompletion>[2]["checksum"]>) =>
    decideCompletion(UPLOAD, uploadedOf(part), { parts: [named(part)], checksum }, 0);
  assert.throws(() => complete({ algorithm: "CRC32", value: "6Le+Qw==" }), refusedAs("InvalidParameter", /without a checksum/u));
  assert.throws(() => complete({ type: "FULL_OBJECT" }), refusedAs("InvalidParameter"));
});

test("only types that an algorithm has are taken", () => {
  assert.deepEqual(checkedChecksum({ algorithm: "CRC32C" }), { algorithm: "CRC32C", type: "COMPOSITE" });
  assert.deepEqual(checkedChecksum({ algorithm: "CRC64NVME" }), { algorithm: "CRC64NVME", type: "FULL_OBJECT" });
  assert.throws(() => checkedChecksum({ algorithm: "CRC64NVME", type: "COMPOSITE" }), refusedAs("InvalidParameter"));
  assert.throws(() => checkedChecksum({ algorithm: "SHA256", type: "FULL_OBJECT" }), refusedAs("InvalidParameter"));
});

test("which parts stay is known by runs of their numbers", () => {
  const numbers = [1, 2, 3, 7, 9, 10];
  const parts = numbers.map((number) => partOf(number, "a"));
  const { kept } = decideCompletion(UPLOAD, uploadedOf(...parts), { parts: parts.map(named) }, 0);
  assert.deepEqual(kept, [
    [1, 3],
    [7, 7],
    [9, 10],
  ]);
  for (let number = 0; number <= 12; number += 1) assert.equal(isKept(kept, number), numbers.includes(number), `part ${number}`);
});
