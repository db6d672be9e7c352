/** What buckets are told about themselves: what a fresh one answers, what is read back, what is refused. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decidingPolicy } from "../../../src/api/s3/bucket-policy.ts";
import { canonicalId } from "../../../src/api/s3/owner.ts";
import { objectPermission } from "../../../src/api/s3/permissions.ts";
import { isLambentError } from "../../../src/base/index.ts";
import type { Principal } from "../../../src/security/index.ts";
import { testSecurity } from "../../support/api-client.ts";
import { ACCOUNT, openBucketWorld, refusedWith, STRANGER } from "./bucket-world.ts";

const Bucket = "photos";
const OWN_GRANT = { Grantee: { Type: "CanonicalUser", ID: canonicalId(ACCOUNT), DisplayName: ACCOUNT }, Permission: "FULL_CONTROL" };
const ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers";

const policyOf = (change: object = {}): string =>
  JSON.stringify({
    Version: "2012-10-17",
    Statement: [{ Effect: "Allow", Principal: { AWS: STRANGER }, Action: "s3:GetObject", Resource: `arn:aws:s3:::${Bucket}/*`, ...change }],
  });
const PUBLIC = policyOf({ Principal: "*" });

/** Everything that Terraform's `aws_s3_bucket` reads of a bucket it has just made. */
describe("a fresh bucket", () => {
  it("answers AWS's defaults of today", async (test) => {
    const { operations, make } = await openBucketWorld(test);
    await make(Bucket);
    const input = { Bucket };
    assert.deepEqual(operations.GetBucketAcl(input), { Owner: { ID: canonicalId(ACCOUNT), DisplayName: ACCOUNT }, Grants: [OWN_GRANT] });
    assert.deepEqual(operations.GetBucketVersioning(input), {});
    assert.deepEqual(operations.GetBucketAccelerateConfiguration(input), {});
    assert.deepEqual(operations.GetBucketLogging(input), {});
    assert.deepEqual(operations.GetBucketRequestPayment(input), { Payer: "BucketOwner" });
    assert.deepEqual(operations.GetBucketNotificationConfiguration(input), {});
    assert.deepEqual(operations.GetBucketOwnershipControls(input), {
      OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
    });
    assert.deepEqual(operations.GetPublicAccessBlock(input), {
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        IgnorePublicAcls: true,
        BlockPublicPolicy: true,
        RestrictPublicBuckets: true,
      },
    });
    assert.deepEqual(operations.GetBucketEncryption(input), {
      ServerSideEncryptionConfiguration: {
        Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" }, BucketKeyEnabled: false }],
      },
    });
    assert.deepEqual(operations.ListBucketMetricsConfigurations(input), { IsTruncated: false });
  });

  it("says of each other configuration, in that one's own words, that it has none", async (test) => {
    const { operations, make } = await openBucketWorld(test);
    await make(Bucket);
    const table: readonly (readonly [() => unknown, string])[] = [
      [() => operations.GetBucketCors({ Bucket }), "NoSuchCORSConfiguration"],
      [() => operations.GetBucketLifecycleConfiguration({ Bucket }), "NoSuchLifecycleConfiguration"],
      [() => operations.GetBucketPolicy({ Bucket }), "NoSuchBucketPolicy"],
      [() => operations.GetBucketPolicyStatus({ Bucket }), "NoSuchBucketPolicy"],
      [() => operations.GetBucketReplication({ Bucket }), "ReplicationConfigurationNotFoundError"],
      [() => operations.GetBucketTagging({ Bucket }), "NoSuchTagSet"],
      [() => operations.GetBucketWebsite({ Bucket }), "NoSuchWebsiteConfiguration"],
      [() => operations.GetObjectLockConfiguration({ Bucket }), "ObjectLockConfigurationNotFoundError"],
      [() => operations.GetBucketInventoryConfiguration({ Bucket }), "NoSuchConfiguration"],
      [() => operations.PutObjectLockConfiguration({ Bucket }), "NotImplemented"],
      [() => operations.PutBucketReplication({ Bucket }), "NotImplemented"],
    ];
    for (const [call, name] of table) await refusedWith(call, name);
    await refusedWith(() => operations.GetBucketCors({ Bucket: "nowhere" }), "NoSuchBucket");
  });
});

describe("versioning", () => {
  it("is enabled and suspended, never off again", async (test) => {
    const { operations, buckets, make } = await openBucketWorld(test);
    await make(Bucket);
    const put = (VersioningConfiguration: object, more: object = {}) =>
      operations.PutBucketVersioning({ Bucket, VersioningConfiguration, ...more });
    await put({ Status: "Enabled" });
    assert.deepEqual(operations.GetBucketVersioning({ Bucket }), { Status: "Enabled" });
    assert.equal(buckets.get(Bucket).versioning, "enabled");
    await put({ Status: "Suspended", MFADelete: "Disabled" });
    assert.deepEqual(operations.GetBucketVersioning({ Bucket }), { Status: "Suspended" });
    await refusedWith(() => put({}), "IllegalVersioningConfigurationException");
    await refusedWith(() => put({ Status: "Off" }), "MalformedXML");
    await refusedWith(() => put({ Status: "Enabled", MFADelete: "Enabled" }), "NotImplemented", /MFA delete/);
    await refusedWith(() => put({ Status: "Enabled" }, { MFA: "serial 123456" }), "NotImplemented");
    assert.equal(buckets.get(Bucket).versioning, "suspended");
  });
});

describe("CORS", () => {
  it("is read back as it was put, and gone when it is deleted", async (test) => {
    const { operations, make } = await openBucketWorld(test);
    await make(Bucket);
    const CORSRules = [
      { ID: "one", AllowedMethods: ["GET", "PUT"], AllowedOrigins: ["https://*.example.com"], AllowedHeaders: ["*"], MaxAgeSeconds: 300 },
      { AllowedMethods: ["HEAD"], AllowedOrigins: ["*"], ExposeHeaders: ["ETag"] },
    ];
    await operations.PutBucketCors({ Bucket, CORSConfiguration: { CORSRules } });
    assert.deepEqual(operations.GetBucketCors({ Bucket }), { CORSRules });
    await operations.DeleteBucketCors({ Bucket });
    await refusedWith(() => operations.GetBucketCors({ Bucket }), "NoSuchCORSConfiguration");
    await operations.DeleteBucketCors({ Bucket });
  });

  it("is refused as S3 refuses it", async (test) => {
    const { operations, make } = await openBucketWorld(test);
    await make(Bucket);
    const rule = { AllowedMethods: ["GET"], AllowedOrigins: ["*"] };
    const put =
      (...CORSRules: (typeof rule)[]) =>
      () =>
        operations.PutBucketCors({ Bucket, CORSConfiguration: { CORSRules } });
    await refusedWith(put(), "MalformedXML");
    await refusedWith(put(...Array.from({ length: 101 }, () => rule)), "MalformedXML", /1 to 100/);
    await put(...Array.from({ length: 100 }, () => rule))();
    await refusedWith(put({ ...rule, AllowedMethods: [] }), "MalformedXML");
    await refusedWith(put({ ...rule, AllowedMethods: ["PATCH"] }), "InvalidRequest", /Unsupported method is PATCH/);
    await refusedWith(put({ ...rule, AllowedMethods: ["get"] }), "InvalidRequest");
    await refusedWith(put({ ...rule, AllowedOrigins: ["https://*.*"] }), "InvalidRequest", /more than one wildcard/);
    await refusedWith(put({ ...rule, AllowedHeaders: ["x-*-*"] } as typeof rule), "InvalidRequest", /more than one wildcard/);
    await refusedWith(put({ ...rule, ExposeHeaders: ["x-*"] } as typeof rule), "InvalidRequest", /wildcard/);
    await refusedWith(put({ ...rule, ExposeHeaders: ["x\r\nset-cookie: a"] } as typeof rule), "InvalidRequest");
    await refusedWith(put({ ...rule, ID: "x" } as typeof rule, { ...rule, ID: "x" } as typeof rule), "InvalidRequest", /unique/);
  });
});

describe("a bucket's policy", () => {
  it("is read back as it was written", async (test) => {
    const { operations, buckets, make } = await openBucketWorld(test);
    await make(Bucket);
    const Policy = ` ${policyOf()}\n`;
    await operations.PutBucketPolicy({ Bucket, Policy });
    assert.deepEqual(operations.GetBucketPolicy({ Bucket }), { Policy });
    assert.deepEqual(operations.GetBucketPolicyStatus({ Bucket }), { PolicyStatus: { IsPublic: false } });
    assert.equal(decidingPolicy(buckets.get(Bucket)), Policy);
    await operations.DeleteBucketPolicy({ Bucket });
    await refusedWith(() => operations.GetBucketPolicy({ Bucket }), "NoSuchBucketPolicy");
    assert.equal(decidingPolicy(buckets.get(Bucket)), undefined);
  });

  it("is about this bucket, in the policy language, of 20 KB at most", async (test) => {
    const { operations, make } = await openBucketWorld(test);
    await make(Bucket);
    const put = (Policy: string) => () => operations.PutBucketPolicy({ Bucket, Policy });
    await refusedWith(put("{"), "MalformedPolicy");
    await refusedWith(put(policyOf({ Resource: "arn:aws:s3:::other/*" })), "MalformedPolicy", /invalid resource/);
    await refusedWith(
      put(policyOf({ Resource: [`arn:aws:s3:::${Bucket}`, "arn:aws:s3:::photos2"] })),
      "MalformedPolicy",
      /invalid resource/,
    );
    await refusedWith(put(policyOf({ Action: "sqs:SendMessage" })), "MalformedPolicy", /invalid action/);
    await refusedWith(put(policyOf({ Principal: undefined })), "MalformedPolicy");
    await refusedWith(put(policyOf({ Sid: "x".repeat(20_480) })), "PolicyTooLarge", /20480/);
    for (const Resource of ["*", "arn:aws:s3:::photos", "arn:aws:s3:::pho*/*", `arn:aws:s3:::${Bucket}/a/*/b`])
      await put(policyOf({ Resource }))();
  });

  it("that is public is refused until that is allowed, and then gives nothing to others while it is restricted", async (test) => {
    const { operations, buckets, make } = await openBucketWorld(test);
    await make(Bucket);
    await refusedWith(() => operations.PutBucketPolicy({ Bucket, Policy: PUBLIC }), "AccessDenied", /BlockPublicPolicy/);
    await operations.PutPublicAccessBlock({ Bucket, PublicAccessBlockConfiguration: { RestrictPublicBuckets: true } });
    await operations.PutBucketPolicy({ Bucket, Policy: PUBLIC });
    assert.deepEqual(operations.GetBucketPolicy({ Bucket }), { Policy: PUBLIC });
    assert.deepEqual(operations.GetBucketPolicyStatus({ Bucket }), { PolicyStatus: { IsPublic: true } });

    const { authorizer } = await testSecurity(test);
    const mayRead = (principal: Principal): boolean => {
      const permission = objectPermission(buckets.get(Bucket), "cat.jpg", "GetObject", false);
      try {
        authorizer.authorize({ principal, requestId: "request-1", region: "us-east-1", ...permission });
        return true;
      } catch (error) {
        assert.ok(isLambentError(error, "AccessDenied"), String(error));
        return false;
      }
    };
    const root = (account: string): Principal => ({ kind: "root", account, accessKeyId: "key" });
    const everybody = (): boolean[] => [root(ACCOUNT), root(STRANGER), { kind: "anonymous" } as const].map(mayRead);
    assert.deepEqual(everybody(), [true, false, false]);
    assert.equal(mayRead({ kind: "service", service: "cloudfront.amazonaws.com" }), true);
    await operations.DeletePublicAccessBlock({ Bucket });
    await refusedWith(() => operations.GetPublicAccessBlock({ Bucket }), "NoSuchPublicAccessBlockConfiguration");
    assert.deepEqual(everybody(), [true, true, true]);
  });

  const PUBLICITY: readonly (readonly [string, object, boolean])[] = [
    ["anybody", { Principal: "*" }, true],
    ["any account", { Principal: { AWS: "*" } }, true],
    ["everybody but one", { Principal: undefined, NotPrincipal: { AWS: STRANGER } }, true],
    ["one account", {}, false],
    ["a service", { Principal: { Service: "logging.s3.amazonaws.com" } }, false],
    ["nobody of anybody", { Principal: "*", Effect: "Deny" }, false],
    ["anybody from one network", { Principal: "*", Condition: { IpAddress: { "aws:SourceIp": "10.0.0.0/8" } } }, false],
    ["anybody from everywhere", { Principal: "*", Condition: { IpAddress: { "aws:SourceIp": "0.0.0.0/0" } } }, true],
    ["anybody not from one network", { Principal: "*", Condition: { NotIpAddress: { "aws:SourceIp": "10.0.0.0/8" } } }, true],
    ["an organisation", { Principal: "*", Condition: { StringEquals: { "aws:PrincipalOrgID": "o-1" } } }, false],
    ["any organisation", { Principal: "*", Condition: { StringLike: { "aws:PrincipalOrgID": "o-*" } } }, true],
    ["an organisation, if there is one", { Principal: "*", Condition: { StringEqualsIfExists: { "aws:PrincipalOrgID": "o-1" } } }, true],
    ["roles of one account", { Principal: "*", Condition: { ArnLike: { "aws:PrincipalArn": `arn:aws:iam::${STRANGER}:role/*` } } }, false],
    ["roles of any account", { Principal: "*", Condition: { ArnLike: { "aws:PrincipalArn": "arn:aws:iam::*:role/x" } } }, true],
    ["a referer, which anybody can send", { Principal: "*", Condition: { StringLike: { "aws:Referer": "https://a.test/*" } } }, true],
  ];
  for (const [whom, change, isPublic] of PUBLICITY)
    it(`for ${whom} is ${isPublic ? "" : "not "}public`, async (test) => {
      const { operations, make } = await openBucketWorld(test);
      await make(Bucket);
      await operations.DeletePublicAccessBlock({ Bucket });
      await operations.PutBucketPolicy({ Bucket, Policy: policyOf(change) });
      assert.deepEqual(operations.GetBucketPolicyStatus({ Bucket }), { PolicyStatus: { IsPublic: isPublic } });
    });
});

describe("a bucket's access control list", () => {
  it("cannot be set while the bucket's owner owns everything", async (test) => {
    const { operations, make } = await openBucketWorld(test);
    await make(Bucket);
    await refusedWith(() => operations.PutBucketAcl({ Bucket, ACL: "public-read" }), "AccessControlListNotSupported");
    await operations.PutBucketAcl({ Bucket, ACL: "private" });
    await operations.PutBucketOwnershipControls({ Bucket, OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerPreferred" }] } });
    await refusedWith(() => operations.PutBucketAcl({ Bucket, ACL: "public-read" }), "AccessDenied", /BlockPublicAcls/);
    await operations.PutPublicAccessBlock({ Bucket, PublicAccessBlockConfiguration: { BlockPublicPolicy: true } });
    await operations.PutBucketAcl({ Bucket, ACL: "public-read" });
    assert.deepEqual(operations.GetBucketAcl({ Bucket }).Grants, [
      OWN_GRANT,
      { Grantee: { Type: "Group", URI: ALL_USERS }, Permission: "READ" },
    ]);
    const enforce = () =>
      operations.PutBucketOwnershipControls({ Bucket, OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] } });
    await refusedWith(enforce, "InvalidBucketAclWithObjectOwnership");
    await operations.PutBucketAcl({ Bucket, ACL: "private" });
    await enforce();
    await operations.DeleteBucketOwnershipControls({ Bucket });
    await refusedWith(() => operations.GetBucketOwnershipControls({ Bucket }), "OwnershipControlsNotFoundError");
  });

  it("is said in headers, or in a document, in one way only", async (test) => {
    const { operations, make } = await openBucketWorld(test);
    await make(Bucket);
    await operations.DeletePublicAccessBlock({ Bucket });
    await operations.DeleteBucketOwnershipControls({ Bucket });
    const friend = canonicalId(STRANGER);
    await operations.PutBucketAcl({ Bucket, GrantRead: `id="${friend}", uri="${ALL_USERS}"`, GrantWriteACP: `id=${friend}` });
    const grants = [
      { Grantee: { Type: "CanonicalUser", ID: friend }, Permission: "READ" },
      { Grantee: { Type: "Group", URI: ALL_USERS }, Permission: "READ" },
      { Grantee: { Type: "CanonicalUser", ID: friend }, Permission: "WRITE_ACP" },
    ] as const;
    assert.deepEqual(operations.GetBucketAcl({ Bucket }).Grants, grants);
    const Owner = { ID: canonicalId(ACCOUNT) };
    await operations.PutBucketAcl({ Bucket, AccessControlPolicy: { Owner, Grants: [grants[0]] } });
    assert.deepEqual(operations.GetBucketAcl({ Bucket }).Grants, [grants[0]]);

    const put = (input: object) => () => operations.PutBucketAcl({ Bucket, ...input });
    await refusedWith(put({}), "MalformedXML");
    await refusedWith(put({ ACL: "private", GrantRead: `id=${friend}` }), "InvalidRequest");
    await refusedWith(put({ ACL: "everybody" }), "InvalidArgument");
    await refusedWith(put({ GrantRead: "nobody" }), "InvalidArgument");
    await refusedWith(put({ GrantRead: "id=x" }), "InvalidArgument", /Invalid id/);
    await refusedWith(put({ GrantRead: 'emailAddress="a@example.com"' }), "InvalidArgument", /e-mail/);
    await refusedWith(put({ AccessControlPolicy: { Grants: [] } }), "MalformedACLError");
    await refusedWith(put({ AccessControlPolicy: { Owner: { ID: friend }, Grants: [] } }), "AccessDenied");
    await refusedWith(put({ AccessControlPolicy: { Owner, Grants: [{ Permission: "READ" }] } }), "MalformedACLError");
    await refusedWith(put({ AccessControlPolicy: { Owner, Grants: Array.from({ length: 101 }, () => grants[0]) } }), "MalformedXML");
  });
});

describe("tags of a bucket", () => {
  it("replace those before, and are refused as S3 refuses them", async (test) => {
    const { operations, make } = await openBucketWorld(test);
    await make(Bucket);
    const put = (...TagSet: { Key: string; Value: string }[]) => operations.PutBucketTagging({ Bucket, Tagging: { TagSet } });
    await put({ Key: "a", Value: "1" }, { Key: "b", Value: "ü/2" });
    await put({ Key: "c", Value: "" });
    assert.deepEqual(operations.GetBucketTagging({ Bucket }), { TagSet: [{ Key: "c", Value: "" }] });
    await refusedWith(() => put({ Key: "a", Value: "1" }, { Key: "a", Value: "2" }), "InvalidTag", /same key/);
    await refusedWith(() => put({ Key: "aws:x", Value: "1" }), "InvalidTag", /System tags/);
    await refusedWith(() => put({ Key: "", Value: "1" }), "InvalidTag");
    await refusedWith(() => put({ Key: "k".repeat(129), Value: "1" }), "InvalidTag");
    await refusedWith(() => put({ Key: "k", Value: "v".repeat(257) }), "InvalidTag");
    await refusedWith(() => put({ Key: "k", Value: "<>" }), "InvalidTag");
    await refusedWith(
      () => put(...Array.from({ length: 51 }, (_each, index) => ({ Key: `k${index}`, Value: "" }))),
      "InvalidRequest",
      /50/,
    );
    await operations.DeleteBucketTagging({ Bucket });
    await refusedWith(() => operations.GetBucketTagging({ Bucket }), "NoSuchTagSet");
  });
});

describe("what is stored only", () => {
  it("encryption is read back; deleted, it is the default again", async (test) => {
    const { operations, make } = await openBucketWorld(test);
    await make(Bucket);
    const put = (...Rules: object[]) => operations.PutBucketEncryption({ Bucket, ServerSideEncryptionConfiguration: { Rules } });
    const kms = { ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: "alias/a" }, BucketKeyEnabled: true };
    await put(kms);
    assert.deepEqual(operations.GetBucketEncryption({ Bucket }), { ServerSideEncryptionConfiguration: { Rules: [kms] } });
    await refusedWith(() => put(), "MalformedXML");
    await refusedWith(() => put(kms, kms), "MalformedXML");
    await refusedWith(() => put({ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "rot13" } }), "MalformedXML");
    await refusedWith(
      () => put({ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256", KMSMasterKeyID: "a" } }),
      "InvalidArgument",
    );
    await operations.DeleteBucketEncryption({ Bucket });
    const { Rules } = operations.GetBucketEncryption({ Bucket }).ServerSideEncryptionConfiguration ?? {};
    assert.equal(Rules?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm, "AES256");
  });

  it("a website is read back; one that redirects everything does nothing else", async (test) => {
    const { operations, make } = await openBucketWorld(test);
    await make(Bucket);
    const put = (WebsiteConfiguration: object) => operations.PutBucketWebsite({ Bucket, WebsiteConfiguration });
    const site = { IndexDocument: { Suffix: "index.html" }, ErrorDocument: { Key: "404.html" } };
    await put(site);
    assert.deepEqual(operations.GetBucketWebsite({ Bucket }), site);
    await put({ RedirectAllRequestsTo: { HostName: "example.com", Protocol: "https" } });
    await refusedWith(() => put({ ...site, RedirectAllRequestsTo: { HostName: "example.com" } }), "InvalidArgument");
    await refusedWith(() => put({}), "InvalidArgument", /IndexDocument/);
    await refusedWith(() => put({ IndexDocument: { Suffix: "a/b" } }), "InvalidArgument");
    await refusedWith(() => put({ ...site, RoutingRules: Array.from({ length: 51 }, () => ({ Redirect: {} })) }), "InvalidRequest", /50/);
    await operations.DeleteBucketWebsite({ Bucket });
    await refusedWith(() => operations.GetBucketWebsite({ Bucket }), "NoSuchWebsiteConfiguration");
  });

  it("logging names a bucket of the same owner and region", async (test) => {
    const { operations, context, make } = await openBucketWorld(test);
    await make(Bucket);
    await make("logs");
    await operations.CreateBucket({ Bucket: "foreign" }, context({ account: STRANGER }));
    await operations.CreateBucket({ Bucket: "remote", CreateBucketConfiguration: { LocationConstraint: "eu-west-1" } }, context());
    const put = (TargetBucket: string) =>
      operations.PutBucketLogging({ Bucket, BucketLoggingStatus: { LoggingEnabled: { TargetBucket, TargetPrefix: "photos/" } } });
    await put("logs");
    assert.deepEqual(operations.GetBucketLogging({ Bucket }), { LoggingEnabled: { TargetBucket: "logs", TargetPrefix: "photos/" } });
    for (const name of ["nowhere", "foreign", "remote"]) await refusedWith(() => put(name), "InvalidTargetBucketForLogging");
    await operations.PutBucketLogging({ Bucket, BucketLoggingStatus: {} });
    assert.deepEqual(operations.GetBucketLogging({ Bucket }), {});
  });

  it("payment and acceleration are words", async (test) => {
    const { operations, make } = await openBucketWorld(test);
    await make(Bucket);
    await make("with.dots");
    await operations.PutBucketRequestPayment({ Bucket, RequestPaymentConfiguration: { Payer: "Requester" } });
    assert.deepEqual(operations.GetBucketRequestPayment({ Bucket }), { Payer: "Requester" });
    await refusedWith(
      () => operations.PutBucketRequestPayment({ Bucket, RequestPaymentConfiguration: { Payer: "Nobody" as "Requester" } }),
      "MalformedXML",
    );
    const accelerate = (name: string, Status: string | undefined) =>
      operations.PutBucketAccelerateConfiguration({ Bucket: name, AccelerateConfiguration: { Status: Status as "Enabled" } });
    await accelerate(Bucket, "Suspended");
    assert.deepEqual(operations.GetBucketAccelerateConfiguration({ Bucket }), { Status: "Suspended" });
    await refusedWith(() => accelerate(Bucket, undefined), "MalformedXML");
    await refusedWith(() => accelerate("with.dots", "Enabled"), "InvalidRequest", /periods/);
  });
});
