/** Lifecycle documents: read back as they were put, the rules that come of them, and what is refused. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import type { LifecycleRule } from "@aws-sdk/client-s3";
import { openBucketWorld, refusedWith } from "./bucket-world.ts";

const Bucket = "photos";
const MIDNIGHT = new Date("2027-01-01T00:00:00Z");

async function open(test: TestContext) {
  const world = await openBucketWorld(test);
  await world.make(Bucket);
  const put = (...Rules: object[]) =>
    world.operations.PutBucketLifecycleConfiguration({ Bucket, LifecycleConfiguration: { Rules: Rules as LifecycleRule[] } });
  return { ...world, put };
}

const rule = (change: object = {}): object => ({ ID: "r", Status: "Enabled", Filter: { Prefix: "" }, Expiration: { Days: 1 }, ...change });

describe("a lifecycle document", () => {
  it("is read back as it was put, and becomes rules", async (test) => {
    const { operations, buckets, put } = await open(test);
    const Rules = [
      { ID: "days", Status: "Enabled", Filter: { Prefix: "tmp/" }, Expiration: { Days: 7 } },
      { ID: "old form", Status: "Disabled", Prefix: "old/", Expiration: { Date: MIDNIGHT } },
      {
        ID: "all of it",
        Status: "Enabled",
        Filter: { And: { Prefix: "a/", Tags: [{ Key: "t", Value: "1" }], ObjectSizeGreaterThan: 10, ObjectSizeLessThan: 20 } },
        NoncurrentVersionExpiration: { NoncurrentDays: 3, NewerNoncurrentVersions: 2 },
      },
      {
        ID: "markers",
        Status: "Enabled",
        Filter: {},
        Expiration: { ExpiredObjectDeleteMarker: true },
        AbortIncompleteMultipartUpload: { DaysAfterInitiation: 5 },
      },
    ];
    const answer = await put(...Rules);
    assert.equal(answer.TransitionDefaultMinimumObjectSize, "all_storage_classes_128K");
    const read = operations.GetBucketLifecycleConfiguration({ Bucket });
    assert.deepEqual(read, { Rules, TransitionDefaultMinimumObjectSize: "all_storage_classes_128K" });

    const plainRules = JSON.parse(JSON.stringify(buckets.get(Bucket).lifecycle)) as unknown;
    assert.deepEqual(plainRules, [
      { id: "days", enabled: true, filter: { prefix: "tmp/", tags: {} }, expireAfterDays: 7 },
      { id: "old form", enabled: false, filter: { prefix: "old/", tags: {} }, expireAt: MIDNIGHT.getTime() },
      {
        id: "all of it",
        enabled: true,
        filter: { prefix: "a/", tags: { t: "1" }, largerThan: 10, smallerThan: 20 },
        expireNoncurrentAfterDays: 3,
        noncurrentKept: 2,
      },
      { id: "markers", enabled: true, filter: { prefix: "", tags: {} }, removeLoneMarkers: true, abortUploadsAfterDays: 5 },
    ]);
    await operations.DeleteBucketLifecycle({ Bucket });
    assert.deepEqual(buckets.get(Bucket).lifecycle, []);
    await refusedWith(() => operations.GetBucketLifecycleConfiguration({ Bucket }), "NoSuchLifecycleConfiguration");
  });

  it("keeps transitions, which move nothing", async (test) => {
    const { operations, buckets, put } = await open(test);
    const Rules = [
      {
        ID: "cold",
        Status: "Enabled",
        Filter: { Tag: { Key: "class", Value: "archive" } },
        Transitions: [
          { Days: 30, StorageClass: "STANDARD_IA" },
          { Days: 90, StorageClass: "GLACIER" },
        ],
        NoncurrentVersionTransitions: [{ NoncurrentDays: 0, StorageClass: "DEEP_ARCHIVE" }],
      },
      { ID: "dated", Status: "Enabled", Filter: { Prefix: "b" }, Transitions: [{ Date: MIDNIGHT, StorageClass: "GLACIER_IR" }] },
    ];
    await put(...Rules);
    assert.deepEqual(operations.GetBucketLifecycleConfiguration({ Bucket }).Rules, Rules);
    assert.deepEqual(buckets.get(Bucket).lifecycle, []);
  });

  it("names rules that have no name", async (test) => {
    const { operations, put } = await open(test);
    await put(rule({ ID: undefined }), rule({ ID: "" }), rule());
    const ids = operations.GetBucketLifecycleConfiguration({ Bucket }).Rules?.map(({ ID }) => ID ?? "") ?? [];
    assert.equal(new Set(ids).size, 3);
    assert.ok(ids.every((id) => id.length > 0 && id.length <= 255));
  });

  const REFUSED: readonly (readonly [string, object, string, RegExp])[] = [
    ["a status of its own", { Status: "On" }, "MalformedXML", /Status/],
    ["no filter", { Filter: undefined }, "MalformedXML", /Filter or Prefix/],
    ["both forms of filter", { Prefix: "a" }, "MalformedXML", /Filter or Prefix/],
    ["a filter that says two things", { Filter: { Prefix: "a", Tag: { Key: "a", Value: "b" } } }, "MalformedXML", /one of/],
    ["an And of one thing", { Filter: { And: { Prefix: "a" } } }, "MalformedXML", /two predicates/],
    [
      "a tag twice",
      {
        Filter: {
          And: {
            Tags: [
              { Key: "a", Value: "1" },
              { Key: "a", Value: "2" },
            ],
          },
        },
      },
      "InvalidRequest",
      /Duplicate/,
    ],
    ["a tag without a key", { Filter: { Tag: { Value: "b" } } }, "InvalidTag", /./],
    [
      "sizes that leave nothing",
      { Filter: { And: { ObjectSizeGreaterThan: 5, ObjectSizeLessThan: 5 } } },
      "InvalidRequest",
      /greater than/,
    ],
    ["a size below nothing", { Filter: { ObjectSizeGreaterThan: -1 } }, "InvalidRequest", /whole number/],
    ["a long prefix", { Filter: { Prefix: "é".repeat(513) } }, "InvalidRequest", /1024/],
    ["no action", { Expiration: undefined }, "InvalidRequest", /At least one action/],
    ["an expiry at no time", { Expiration: {} }, "MalformedXML", /one of Days/],
    ["an expiry at two times", { Expiration: { Days: 1, Date: MIDNIGHT } }, "MalformedXML", /one of Days/],
    ["no days", { Expiration: { Days: 0 } }, "InvalidArgument", /'Days' for Expiration action must be a positive integer/],
    ["half a day", { Expiration: { Days: 1.5 } }, "InvalidArgument", /positive integer/],
    ["a date in the middle of a day", { Expiration: { Date: new Date("2027-01-01T01:00:00Z") } }, "InvalidArgument", /midnight GMT/],
    ["noncurrent versions without days", { NoncurrentVersionExpiration: { NewerNoncurrentVersions: 1 } }, "MalformedXML", /NoncurrentDays/],
    ["noncurrent versions for no days", { NoncurrentVersionExpiration: { NoncurrentDays: 0 } }, "InvalidArgument", /positive integer/],
    [
      "too many noncurrent versions",
      { NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 101 } },
      "InvalidArgument",
      /1 to 100/,
    ],
    ["uploads without days", { AbortIncompleteMultipartUpload: {} }, "MalformedXML", /DaysAfterInitiation/],
    [
      "uploads by tag",
      { Filter: { Tag: { Key: "a", Value: "b" } }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
      "InvalidRequest",
      /with Tags/,
    ],
    [
      "uploads by size",
      { Filter: { ObjectSizeLessThan: 5 }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } },
      "InvalidRequest",
      /Object Size/,
    ],
    [
      "delete markers by tag",
      { Filter: { Tag: { Key: "a", Value: "b" } }, Expiration: { ExpiredObjectDeleteMarker: true } },
      "InvalidRequest",
      /tag based filter/,
    ],
    ["a storage class of its own", { Transitions: [{ Days: 90, StorageClass: "WARM" }] }, "MalformedXML", /StorageClass/],
    ["a transition at no time", { Transitions: [{ StorageClass: "GLACIER" }] }, "MalformedXML", /Days or Date/],
    [
      "an early transition",
      { Expiration: { Days: 99 }, Transitions: [{ Days: 29, StorageClass: "STANDARD_IA" }] },
      "InvalidArgument",
      /30/,
    ],
    [
      "expiry before the transition",
      { Expiration: { Days: 90 }, Transitions: [{ Days: 90, StorageClass: "GLACIER" }] },
      "InvalidArgument",
      /greater/,
    ],
    [
      "days beside dates",
      { Expiration: { Date: MIDNIGHT }, Transitions: [{ Days: 1, StorageClass: "GLACIER" }] },
      "InvalidRequest",
      /mixed/,
    ],
    [
      "a class twice",
      {
        Expiration: undefined,
        Transitions: [
          { Days: 1, StorageClass: "GLACIER" },
          { Days: 2, StorageClass: "GLACIER" },
        ],
      },
      "InvalidRequest",
      /once/,
    ],
    ["a long name", { ID: "x".repeat(256) }, "InvalidArgument", /255/],
  ];
  for (const [what, change, name, message] of REFUSED)
    it(`is refused with ${what}`, async (test) => {
      const { operations, put } = await open(test);
      await refusedWith(() => put(rule(change)), name, message);
      await refusedWith(() => operations.GetBucketLifecycleConfiguration({ Bucket }), "NoSuchLifecycleConfiguration");
    });

  it("is refused with no rules, with too many, and with a name twice", async (test) => {
    const { put } = await open(test);
    await refusedWith(() => put(), "MalformedXML", /1 to 1000/);
    await refusedWith(() => put(...Array.from({ length: 1_001 }, (_each, index) => rule({ ID: String(index) }))), "MalformedXML");
    await refusedWith(() => put(rule(), rule({ Filter: { Prefix: "b" } })), "InvalidArgument", /unique/);
    await put(...Array.from({ length: 1_000 }, (_each, index) => rule({ ID: String(index) })));
  });
});
