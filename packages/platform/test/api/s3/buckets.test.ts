/** Buckets by S3's operations: made, found, listed, removed. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { canonicalId } from "../../../src/api/s3/owner.ts";
import { ACCOUNT, openBucketWorld, refusedWith, STRANGER } from "./bucket-world.ts";

describe("a bucket", () => {
  it("is made where it is asked for, and says where it is", async (test) => {
    const { operations, context } = await openBucketWorld(test);
    const made = await operations.CreateBucket({ Bucket: "photos" }, context());
    assert.deepEqual(made, { Location: "/photos", BucketArn: "arn:aws:s3:::photos" });
    assert.deepEqual(operations.GetBucketLocation({ Bucket: "photos" }), {});
    assert.equal(operations.HeadBucket({ Bucket: "photos" }).BucketRegion, "us-east-1");

    const there = { CreateBucketConfiguration: { LocationConstraint: "eu-central-1" as const } };
    const far = await operations.CreateBucket({ Bucket: "fotos", ...there }, context({ region: "eu-central-1" }));
    assert.equal(far.Location, "http://127.0.0.1:4566/fotos/");
    assert.deepEqual(operations.GetBucketLocation({ Bucket: "fotos" }), { LocationConstraint: "eu-central-1" });
    assert.equal(operations.HeadBucket({ Bucket: "fotos" }).BucketRegion, "eu-central-1");
  });

  it("is made in another region from the oldest one only", async (test) => {
    const { operations, context } = await openBucketWorld(test);
    const create = (region: string, LocationConstraint?: string) => () =>
      operations.CreateBucket(
        {
          Bucket: "there",
          ...(LocationConstraint === undefined ? {} : { CreateBucketConfiguration: { LocationConstraint: LocationConstraint as "EU" } }),
        },
        context({ region }),
      );
    await refusedWith(create("eu-west-1"), "IllegalLocationConstraintException", /unspecified location constraint/);
    await refusedWith(create("eu-west-1", "us-west-2"), "IllegalLocationConstraintException", /us-west-2/);
    await refusedWith(create("us-east-1", "us-east-1"), "InvalidLocationConstraint");
    await refusedWith(create("us-east-1", "moon"), "InvalidLocationConstraint");
    await create("us-east-1", "EU")();
    assert.deepEqual(operations.GetBucketLocation({ Bucket: "there" }), { LocationConstraint: "eu-west-1" });
  });

  it("that is made again by its owner is there: in the oldest region without an error, elsewhere with one", async (test) => {
    const { operations, context, make } = await openBucketWorld(test);
    await make("mine");
    await operations.PutBucketTagging({ Bucket: "mine", Tagging: { TagSet: [{ Key: "a", Value: "b" }] } });
    await make("mine");
    assert.deepEqual(operations.GetBucketTagging({ Bucket: "mine" }).TagSet, [{ Key: "a", Value: "b" }], "it stays as it is");

    await refusedWith(() => operations.CreateBucket({ Bucket: "mine" }, context({ account: STRANGER })), "BucketAlreadyExists");
    const west = { Bucket: "west", CreateBucketConfiguration: { LocationConstraint: "us-west-2" as const } };
    await operations.CreateBucket(west, context({ region: "us-west-2" }));
    await refusedWith(() => operations.CreateBucket(west, context({ region: "us-west-2" })), "BucketAlreadyOwnedByYou");
    await refusedWith(() => make("west"), "BucketAlreadyOwnedByYou");
    await refusedWith(() => make("No_Name"), "InvalidBucketName");
  });

  it("is made with tags, ownership and a list that fit together", async (test) => {
    const { operations, context } = await openBucketWorld(test);
    const TagSet = [{ Key: "team", Value: "fotos" }];
    await operations.CreateBucket(
      { Bucket: "tagged", ACL: "private", ObjectOwnership: "ObjectWriter", CreateBucketConfiguration: { Tags: TagSet } },
      context(),
    );
    assert.deepEqual(operations.GetBucketTagging({ Bucket: "tagged" }), { TagSet });
    assert.equal(
      operations.GetBucketOwnershipControls({ Bucket: "tagged" }).OwnershipControls?.Rules?.[0]?.ObjectOwnership,
      "ObjectWriter",
    );

    const create = (more: object) => () => operations.CreateBucket({ Bucket: "refused", ...more }, context());
    await refusedWith(create({ ACL: "public-read" }), "InvalidBucketAclWithObjectOwnership");
    await refusedWith(create({ ACL: "public-read", ObjectOwnership: "ObjectWriter" }), "AccessDenied", /BlockPublicAcls/);
    await refusedWith(create({ ObjectOwnership: "Everybody" }), "MalformedXML");
    await refusedWith(create({ ACL: "private", GrantRead: `id=${"a".repeat(64)}` }), "InvalidRequest");
    await refusedWith(create({ CreateBucketConfiguration: { Tags: [...TagSet, ...TagSet] } }), "InvalidTag");
    assert.equal(operations.ListBuckets({}, context()).Buckets?.length, 1);
  });

  it("cannot be what is not built, and is told so", async (test) => {
    const { operations, context } = await openBucketWorld(test);
    const create = (more: object) => () => operations.CreateBucket({ Bucket: "locked", ...more }, context());
    await refusedWith(create({ ObjectLockEnabledForBucket: true }), "NotImplemented", /Object Lock is not built in Lambent/);
    await refusedWith(create({ CreateBucketConfiguration: { Bucket: { Type: "Directory" } } }), "NotImplemented");
    await refusedWith(create({ BucketNamespace: "account-regional" }), "NotImplemented");
    await operations.CreateBucket({ Bucket: "locked", ObjectLockEnabledForBucket: false }, context());
  });

  it("is removed; what is not there is said to be not there", async (test) => {
    const { operations, make } = await openBucketWorld(test);
    await make("brief");
    await operations.DeleteBucket({ Bucket: "brief" });
    await refusedWith(() => operations.HeadBucket({ Bucket: "brief" }), "NoSuchBucket");
    await refusedWith(() => operations.DeleteBucket({ Bucket: "brief" }), "NoSuchBucket");
    await make("brief");
    assert.deepEqual(operations.GetBucketVersioning({ Bucket: "brief" }), {});
  });

  it("of another owner than expected is refused by every operation", async (test) => {
    const { operations, make } = await openBucketWorld(test);
    await make("mine");
    const input = { Bucket: "mine", ExpectedBucketOwner: STRANGER };
    await refusedWith(() => operations.HeadBucket(input), "AccessDenied");
    await refusedWith(() => operations.GetBucketAcl(input), "AccessDenied");
    await refusedWith(() => operations.DeleteBucket(input), "AccessDenied");
    operations.HeadBucket({ Bucket: "mine", ExpectedBucketOwner: ACCOUNT });
  });
});

describe("a list of buckets", () => {
  it("has those of the account, by name, with their region and age", async (test) => {
    const { operations, context, make, now } = await openBucketWorld(test);
    await make("beta");
    await make("alpha");
    await operations.CreateBucket({ Bucket: "foreign" }, context({ account: STRANGER }));
    const { Buckets, Owner, ContinuationToken } = operations.ListBuckets({}, context());
    assert.deepEqual(Buckets, [
      { Name: "alpha", CreationDate: new Date(now), BucketRegion: "us-east-1", BucketArn: "arn:aws:s3:::alpha" },
      { Name: "beta", CreationDate: new Date(now), BucketRegion: "us-east-1", BucketArn: "arn:aws:s3:::beta" },
    ]);
    assert.deepEqual(Owner, { ID: canonicalId(ACCOUNT), DisplayName: ACCOUNT });
    assert.match(canonicalId(ACCOUNT), /^[0-9a-f]{64}$/);
    assert.notEqual(canonicalId(ACCOUNT), canonicalId(STRANGER));
    assert.equal(ContinuationToken, undefined);
  });

  it("comes in pages, and by prefix and region", async (test) => {
    const { operations, context, make } = await openBucketWorld(test);
    for (const name of ["logs-a", "logs-b", "logs-c", "other"]) await make(name);
    await operations.CreateBucket({ Bucket: "logs-far", CreateBucketConfiguration: { LocationConstraint: "sa-east-1" } }, context());
    const seen: string[] = [];
    let token: string | undefined;
    do {
      const asked = { MaxBuckets: 2, Prefix: "logs-", ...(token === undefined ? {} : { ContinuationToken: token }) };
      const page = operations.ListBuckets(asked, context());
      assert.equal(page.Prefix, "logs-");
      seen.push(...(page.Buckets ?? []).map(({ Name }) => Name ?? ""));
      token = page.ContinuationToken;
    } while (token !== undefined);
    assert.deepEqual(seen, ["logs-a", "logs-b", "logs-c", "logs-far"]);
    const far = operations.ListBuckets({ BucketRegion: "sa-east-1" }, context());
    assert.deepEqual(
      far.Buckets?.map(({ Name }) => Name),
      ["logs-far"],
    );
    for (const MaxBuckets of [0, 10_001, 1.5])
      await refusedWith(() => operations.ListBuckets({ MaxBuckets }, context()), "InvalidArgument");
    await refusedWith(() => operations.ListBuckets({ ContinuationToken: "!" }, context()), "InvalidArgument");
  });
});
