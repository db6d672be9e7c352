/** Buckets of an application and what uploads to them call: read, named, planned. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { bucketPermissionId, guessedUploadName, parseAppDocument, readUpload, readUploadEvent } from "../../src/apps/index.ts";
import { triggerOfKey } from "../../src/apps/trigger-key.ts";
import { type CurrentUploadWiring, uploadKey, type UploadTrigger, type UploadWiring } from "../../src/apps/upload-form.ts";
import { planBuckets, planUploadRemovals, planUploads } from "../../src/apps/upload-plan.ts";
import { checkUploads } from "../../src/apps/upload-wiring.ts";
import { isLambentError } from "../../src/base/index.ts";
import { uploadText } from "../../src/model/index.ts";

const CREATED = "s3:ObjectCreated:*";
const RULES = { owned: new Set<string>(), onlyUntouched: false };

const upload = (uploadName: string, options: Partial<UploadTrigger["options"]> = {}, functionName = "thumbs"): UploadTrigger => ({
  ...{ functionName, bucketName: "photos", uploadName },
  options: { event: CREATED, prefix: "", suffix: "", ...options },
});
const wiring = (wanted: Partial<UploadWiring>): UploadWiring => ({ buckets: [], uploads: [], ...wanted });
const current = (uploads: readonly UploadTrigger[], permitted = true): CurrentUploadWiring => ({
  buckets: new Set(["photos"]),
  uploads: new Map(uploads.map((each) => [uploadKey(each), { ...each, permitted }])),
});

test("what stands before the star begins the keys, what stands behind it ends them", () => {
  const read = (text: string): unknown => {
    const reading = readUpload(text);
    return reading.kind === "read" ? reading.filter : reading.why;
  };
  const filter = (prefix: string, suffix: string): object => ({ bucketName: "photos", prefix, suffix });
  for (const all of ["photos", "photos/", "photos/*", "s3://photos", "s3://photos/*"]) assert.deepEqual(read(all), filter("", ""), all);
  assert.deepEqual(read("photos/*.jpg"), filter("", ".jpg"));
  assert.deepEqual(read("photos/in/*.jpg"), filter("in/", ".jpg"));
  assert.deepEqual(read("photos/in/"), filter("in/", ""));
  assert.deepEqual(read("photos/in/*"), filter("in/", ""));
  assert.deepEqual(read("photos/a b/ü*"), filter("a b/ü", ""));
  assert.match(String(read("photos/*/x*.jpg")), /more than one star/u);
  assert.match(String(read("photos/cat.jpg")), /has no star: it would be one object only/u);
  for (const text of ["", "*", "*.jpg", "Photos/*", "a/*", "10.0.0.1/*", "photos*"])
    assert.match(String(read(text)), /bucket's name/u, text);
  assert.match(String(read(`photos/${"x".repeat(1_025)}*`)), /too long/u);
});

test("a filter's text is read as that filter again, and no text breaks the reading", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 40 }), (rest) => {
      const reading = readUpload(`photos/${rest}`);
      if (reading.kind === "read") assert.deepEqual(readUpload(uploadText(reading.filter)), reading);
    }),
    { numRuns: 300, seed: 6 },
  );
});

test("events go by a word or by S3's names", () => {
  assert.equal(readUploadEvent("created"), CREATED);
  assert.equal(readUploadEvent("removed"), "s3:ObjectRemoved:*");
  assert.equal(readUploadEvent("s3:ObjectCreated:Put"), "s3:ObjectCreated:Put");
  assert.equal(readUploadEvent("ObjectTagging:*"), "s3:ObjectTagging:*");
  for (const text of ["", "changed", "constructor", "s3:", "s3:A:B:C", "s3:Object Created:*"])
    assert.equal(readUploadEvent(text), undefined, text);
});

test("guessed names tell events and filters apart and fit S3's and Lambda's rules", () => {
  const filter = (prefix: string, suffix: string) => ({ bucketName: "photos", prefix, suffix });
  assert.equal(guessedUploadName("hello", CREATED, filter("", "")), "hello-created");
  assert.equal(guessedUploadName("hello", "s3:ObjectRemoved:*", filter("", ".jpg")), "hello-removed-jpg");
  assert.equal(guessedUploadName("hello", "s3:ObjectCreated:Put", filter("", "")), "hello-ObjectCreated-Put");
  assert.notEqual(guessedUploadName("hello", CREATED, filter("a", "b")), guessedUploadName("hello", CREATED, filter("a-", "b")));
  assert.notEqual(guessedUploadName("hello", CREATED, filter("", "jpg")), guessedUploadName("hello", CREATED, filter("", ".jpg")));
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/u), fc.string({ unit: "binary" }), fc.string(), (name, prefix, suffix) => {
      assert.match(guessedUploadName(name, CREATED, filter(prefix, suffix)), /^[A-Za-z0-9_.-]{1,64}$/u);
    }),
    { numRuns: 200, seed: 6 },
  );
  assert.equal(bucketPermissionId("photos"), "bucket-photos");
  assert.match(bucketPermissionId("my.photos"), /^bucket-my-photos-[0-9a-f]{8}$/u);
});

test("a document names buckets and uploads", () => {
  const document = parseAppDocument(
    "buckets: { archive: }\nfunctions: { thumbs: { triggers: [{ upload: photos/in/*.jpg }, { upload: inbox, event: removed, name: gone }] } }",
    "lambent.yaml",
  );
  assert.deepEqual(document.buckets, [{ name: "archive" }]);
  assert.deepEqual(
    document.uploads.map(({ bucketName, options }) => [bucketName, options]),
    [
      ["photos", { event: CREATED, prefix: "in/", suffix: ".jpg" }],
      ["inbox", { event: "s3:ObjectRemoved:*", prefix: "", suffix: "" }],
    ],
  );
  assert.equal(document.uploads[1]?.uploadName, "gone");
});

test("what does not go together is refused with place and rule, in one line", () => {
  const refused = (text: string, message: RegExp): void =>
    assert.throws(
      () => parseAppDocument(text, "lambent.yaml"),
      (error) => isLambentError(error, "InvalidParameter") && message.test(error.message) && !error.message.includes("\n"),
      text,
    );
  const trigger = (text: string): string => `functions: { a: { triggers: [${text}] } }`;
  refused(
    trigger("{ upload: photos, enabled: false }"),
    /triggers\[0\] has enabled, and S3 has no rule that is there and off: leave the trigger out/u,
  );
  refused(trigger("{ upload: photos, batch: 5 }"), /has batch, which does not go with upload; with it go event, name\.$/u);
  refused(trigger("{ upload: photos/x }"), /triggers\[0\]\.upload: "photos\/x" has no star/u);
  refused(trigger("{ upload: photos, event: changed }"), /triggers\[0\]\.event is "changed"; it has to be created, removed/u);
  refused(trigger("{ every: 1 hour, event: created }"), /has event, which does not go with every/u);
  refused("buckets: { photos: { versioning: true } }\nfunctions: { a: }", /buckets\.photos has an entry "versioning".*no settings here/u);
  refused("buckets: { Photos: }\nfunctions: { a: }", /buckets has an entry "Photos".*3 to 63 lower-case letters/u);
});

test("a bucket that only a trigger names is made, too; one that is there is not", () => {
  const wanted = wiring({ buckets: [{ name: "archive" }], uploads: [upload("r1"), { ...upload("r2"), bucketName: "inbox" }] });
  assert.deepEqual(planBuckets(current([]), wanted), [
    { kind: "createBucket", bucket: { name: "archive" } },
    { kind: "createBucket", bucket: { name: "inbox" } },
  ]);
});

test("only what differs of a rule changes; a permission that is missing is a difference", () => {
  const there = current([upload("r1"), upload("r2", { suffix: ".png" })], false);
  const changes = planUploads(there, wiring({ uploads: [upload("r2", { suffix: ".jpg" }), upload("r3")] }), RULES);
  assert.deepEqual(
    changes.map((change) => ("fields" in change ? change.fields : change.kind)),
    [
      [
        { field: "suffix", from: ".png", to: ".jpg" },
        { field: "permission", from: "missing", to: "given" },
      ],
      "createUpload",
    ],
  );
  assert.deepEqual(planUploads(current([upload("r1")]), wiring({ uploads: [upload("r1")] }), RULES), []);
});

test("what the application brought goes with its line, by a key that says what it is; examples bring nothing back", () => {
  const owned = new Set([uploadKey(upload("r1")), uploadKey(upload("gone")), "thumbs orders"]);
  const there = current([upload("r1"), upload("r2")]);
  assert.deepEqual(triggerOfKey(uploadKey(upload("r1"))), {
    ...{ kind: "upload", functionName: "thumbs", bucketName: "photos", uploadName: "r1" },
  });
  const removals = planUploadRemovals(there, wiring({}), { owned, onlyUntouched: false });
  assert.deepEqual(
    removals.map((change) => (change.kind === "removeUpload" ? change.upload.uploadName : change.kind)),
    ["r1"],
  );
  assert.deepEqual(planUploads(current([]), wiring({ uploads: [upload("r1")] }), { owned, onlyUntouched: true }), []);
});

test("of one object S3 tells only one: a document that would have two told is refused before anything is made", () => {
  const check = (...uploads: readonly UploadTrigger[]) => checkUploads(wiring({ uploads }));
  assert.throws(
    () => check(upload("r1", { suffix: ".jpg" }), upload("r2", { prefix: "in/" }, "other")),
    (error) =>
      isLambentError(error, "InvalidParameter") &&
      error.message.startsWith("photos/*.jpg of function thumbs and photos/in/* of function other overlap"),
  );
  assert.throws(() => check(upload("r1"), upload("r2", { event: "s3:ObjectCreated:Put" })), /overlap/u);
  check(upload("r1", { suffix: ".jpg" }), upload("r2", { suffix: ".png" }), upload("r3", { event: "s3:ObjectRemoved:*" }));
  check(upload("r1"), { ...upload("r1"), bucketName: "inbox" });
  assert.throws(() => check(upload("r1", { prefix: "a" }), upload("r1", { prefix: "b" })), /named twice/u);
});
