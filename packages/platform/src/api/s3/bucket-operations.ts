import type {
  Bucket,
  CreateBucketOutput,
  CreateBucketRequest,
  DeleteBucketRequest,
  GetBucketLocationOutput,
  GetBucketLocationRequest,
  HeadBucketOutput,
  HeadBucketRequest,
  ListBucketsOutput,
  ListBucketsRequest,
} from "@aws-sdk/client-s3";
import { isLambentError, LambentError } from "../../base/index.ts";
import { DEFAULT_REGION } from "../../model/index.ts";
import { bucketArn, type BucketRecord } from "../../objects/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { OperationTable, RequestContext } from "../operation.ts";
import { checkedOwnership } from "./access-configurations.ts";
import { aclOf, isPrivate, isPublic } from "./acl.ts";
import { type BucketParts, plain, recordOf } from "./bucket-parts.ts";
import { refused } from "./configuration-errors.ts";
import { FRESH_OWNERSHIP } from "./fresh-bucket.ts";
import { ownerOf } from "./owner.ts";
import { tagsOf } from "./bucket-tags.ts";

/** Buckets of one page where the caller asks for no other number, and at most. */
const PAGE_MAX = 10_000;

/** Buckets as such: made, found, listed, removed. @see S3 API reference */
export function bucketOperations({ buckets }: BucketParts) {
  return {
    async CreateBucket(input: CreateBucketRequest, context: RequestContext): Promise<CreateBucketOutput> {
      const name = given(input.Bucket, "Bucket");
      refuseWhatIsNotBuilt(input);
      const realm = { account: context.realm.account, region: regionOf(input, context.realm.region) };
      const draft = draftOf(input, realm.account);
      try {
        await buckets.create(realm, name, draft);
      } catch (error) {
        if (!isOwnAgain(error, context.realm.region, buckets.find(name))) throw error;
      }
      const Location = realm.region === DEFAULT_REGION ? `/${name}` : `${context.endpoint}/${name}/`;
      return { Location, BucketArn: bucketArn(name) };
    },

    HeadBucket(input: HeadBucketRequest): HeadBucketOutput {
      const { name, realm } = recordOf(buckets, input);
      return { BucketArn: bucketArn(name), BucketRegion: realm.region, AccessPointAlias: false };
    },

    async DeleteBucket(input: DeleteBucketRequest): Promise<void> {
      await buckets.delete(recordOf(buckets, input).name);
    },

    ListBuckets(input: ListBucketsRequest, { realm }: RequestContext): ListBucketsOutput {
      const { Prefix = "", BucketRegion, MaxBuckets = PAGE_MAX } = input;
      if (!(Number.isInteger(MaxBuckets) && MaxBuckets >= 1 && MaxBuckets <= PAGE_MAX))
        throw refused("argument", `MaxBuckets is ${MaxBuckets}; it is 1 to ${PAGE_MAX}.`);
      const after = readToken(input.ContinuationToken);
      const found = buckets
        .list(realm.account)
        .filter((each) => each.name.startsWith(Prefix) && each.name > after)
        .filter((each) => BucketRegion === undefined || each.realm.region === BucketRegion);
      const page = found.slice(0, MaxBuckets);
      const last = page.at(-1);
      return {
        Buckets: page.map(shapeOf),
        Owner: ownerOf(realm.account),
        ...(last !== undefined && found.length > page.length ? { ContinuationToken: Buffer.from(last.name).toString("base64url") } : {}),
        ...(input.Prefix === undefined ? {} : { Prefix }),
      };
    },

    GetBucketLocation(input: GetBucketLocationRequest): GetBucketLocationOutput {
      const { region } = recordOf(buckets, input).realm;
      // The oldest region has no name here: it is what was there before there were others.
      return region === DEFAULT_REGION ? {} : { LocationConstraint: region as NonNullable<GetBucketLocationOutput["LocationConstraint"]> };
    },
  } satisfies OperationTable;
}

function shapeOf({ name, createdAt, realm }: BucketRecord): Bucket {
  return { Name: name, CreationDate: new Date(createdAt), BucketRegion: realm.region, BucketArn: bucketArn(name) };
}

/** In the oldest region only, whoever makes a bucket again that is theirs is told that it is there. */
function isOwnAgain(error: unknown, region: string, record: BucketRecord | undefined): boolean {
  const owned = isLambentError(error, "AlreadyExists") && error.details["owned"] === true;
  return owned && region === DEFAULT_REGION && record?.realm.region === DEFAULT_REGION;
}

function refuseWhatIsNotBuilt(input: CreateBucketRequest): void {
  if (input.ObjectLockEnabledForBucket === true)
    throw new LambentError("NotImplemented", "Object Lock is not built in Lambent: nothing here can keep an object from being deleted.");
  if (input.BucketNamespace !== undefined && input.BucketNamespace !== "global")
    throw new LambentError("NotImplemented", "Buckets named within an account are not built in Lambent; names are of all accounts.");
  // Directory buckets: of one zone, with other operations.
  refuseUnbuilt(input.CreateBucketConfiguration ?? {}, ["Location", "Bucket"]);
}

/**
 * Where the bucket is to be. Whoever asks in the oldest region may name any other; elsewhere it has to be named, and be the one asked.
 *
 * @see S3 API reference, CreateBucketConfiguration
 */
function regionOf({ CreateBucketConfiguration }: CreateBucketRequest, asked: string): string {
  const constraint: string | undefined = CreateBucketConfiguration?.LocationConstraint;
  if (constraint === undefined || constraint === "") {
    if (asked !== DEFAULT_REGION) throw illegalLocation("unspecified");
    return asked;
  }
  const region = constraint === "EU" ? "eu-west-1" : constraint;
  if (!/^[a-z]{2}(-[a-z]{2,12}){1,2}-\d$/.test(region) || region === DEFAULT_REGION)
    throw refused("location", "The specified location-constraint is not valid");
  if (asked !== DEFAULT_REGION && asked !== region) throw illegalLocation(constraint);
  return region;
}

function illegalLocation(constraint: string): LambentError {
  const message = `The ${constraint} location constraint is incompatible for the region specific endpoint this request was sent to.`;
  return refused("illegalLocation", message);
}

/** What a bucket is made with. */
function draftOf(input: CreateBucketRequest, owner: string): Pick<BucketRecord, "tags" | "documents"> {
  const ownership = checkedOwnership(input.ObjectOwnership ?? FRESH_OWNERSHIP);
  const acl = aclOf(input, { owner, bucketOwner: owner });
  if (ownership === "BucketOwnerEnforced" && acl && !isPrivate(acl))
    throw refused("aclWithOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting");
  if (acl && isPublic(acl))
    throw new LambentError("AccessDenied", "Access Denied: public ACLs are prevented by the BlockPublicAcls setting of every new bucket.");
  return {
    tags: tagsOf(input.CreateBucketConfiguration?.Tags),
    documents: {
      ...(acl ? { acl: plain(acl) } : {}),
      ...(ownership === FRESH_OWNERSHIP ? {} : { ownershipControls: ownership }),
    },
  };
}

/** The name behind which a page begins. */
function readToken(token: string | undefined): string {
  if (token === undefined || token === "") return "";
  const name = Buffer.from(token.slice(0, 1_024), "base64url").toString("utf8");
  if (!/^[a-z0-9][a-z0-9.-]{1,62}$/.test(name)) throw refused("argument", "The continuation token provided is incorrect");
  return name;
}
