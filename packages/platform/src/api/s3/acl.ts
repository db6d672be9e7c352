/**
 * Access control lists in S3's form: canned ones, grants in headers, grants in a document. They are stored and read back; nothing is allowed or
 * refused by them, policies do that. What public access block and ownership say about setting them is held to.
 */
import type { AccessControlPolicy, Grant, Grantee, Owner, Permission } from "@aws-sdk/client-s3";
import { LambentError } from "../../base/index.ts";
import type { BucketRecord } from "../../objects/index.ts";
import { malformedXml, refused } from "./configuration-errors.ts";
import { ownerOf } from "./owner.ts";
import { ownershipOf, publicAccessOf } from "./fresh-bucket.ts";

/** Grants of one list. @see S3 user guide, ACL overview */
const GRANTS_MAX = 100;
const GRANTS_HEADER_CHARS_MAX = 8_192;

const GROUPS = "http://acs.amazonaws.com/groups";
const ALL_USERS = `${GROUPS}/global/AllUsers`;
const AUTHENTICATED_USERS = `${GROUPS}/global/AuthenticatedUsers`;
const LOG_DELIVERY = `${GROUPS}/s3/LogDelivery`;
const PERMISSIONS: readonly string[] = ["FULL_CONTROL", "READ", "READ_ACP", "WRITE", "WRITE_ACP"];

/** What of an input says an access control list. */
export interface AclInput {
  readonly ACL?: string | undefined;
  readonly AccessControlPolicy?: AccessControlPolicy | undefined;
  readonly GrantFullControl?: string | undefined;
  readonly GrantRead?: string | undefined;
  readonly GrantReadACP?: string | undefined;
  readonly GrantWrite?: string | undefined;
  readonly GrantWriteACP?: string | undefined;
}

export interface Acl {
  readonly Owner: Owner;
  readonly Grants: readonly Grant[];
}

/** Whose the thing is, and whose the bucket it is in; the same account for a bucket. */
export interface AclOwners {
  readonly owner: string;
  readonly bucketOwner: string;
}

const HEADERS = [
  ["GrantFullControl", "FULL_CONTROL"],
  ["GrantRead", "READ"],
  ["GrantReadACP", "READ_ACP"],
  ["GrantWrite", "WRITE"],
  ["GrantWriteACP", "WRITE_ACP"],
] as const;

/** The list of what nobody said anything about: its owner may do everything. */
export function privateAcl(owner: string): Acl {
  return { Owner: ownerOf(owner), Grants: [ownerGrant(owner)] };
}

/** The list that an input says; undefined where it says none. */
export function aclOf(input: AclInput, owners: AclOwners): Acl | undefined {
  const inHeaders = HEADERS.filter(([member]) => input[member] !== undefined);
  const ways = [input.ACL !== undefined, input.AccessControlPolicy !== undefined, inHeaders.length > 0].filter(Boolean).length;
  if (ways > 1) throw refused("request", "Specifying both Canned ACLs and Header Grants is not allowed");
  if (input.ACL !== undefined) return { Owner: ownerOf(owners.owner), Grants: cannedGrants(input.ACL, owners) };
  if (input.AccessControlPolicy !== undefined) return documentAcl(input.AccessControlPolicy, owners.owner);
  if (inHeaders.length === 0) return undefined;
  const grants = inHeaders.flatMap(([member, permission]) => headerGrants(input[member] ?? "", permission));
  return { Owner: ownerOf(owners.owner), Grants: checkedGrants(grants) };
}

/** Holds a new list against what its bucket says of lists. */
export function checkAclAllowed(record: BucketRecord, acl: Acl): void {
  if (ownershipOf(record) === "BucketOwnerEnforced" && !(acl.Owner.ID === ownerOf(record.realm.account).ID && isPrivate(acl)))
    throw refused("aclNotSupported", "The bucket does not allow ACLs");
  if (publicAccessOf(record)?.BlockPublicAcls === true && isPublic(acl))
    throw new LambentError("AccessDenied", "Access Denied: public ACLs are prevented by the BlockPublicAcls setting of the bucket.");
}

/** Gives its owner everything, and nobody else anything. */
export function isPrivate({ Owner, Grants }: Acl): boolean {
  const full = Grants.some(({ Grantee, Permission }) => Grantee?.ID === Owner.ID && Permission === "FULL_CONTROL");
  return full && Grants.every(({ Grantee }) => Grantee?.ID === Owner.ID);
}

/** Grants something to everybody, or to everybody who has an account anywhere. */
export function isPublic({ Grants }: Pick<Acl, "Grants">): boolean {
  return Grants.some(({ Grantee }) => Grantee?.URI === ALL_USERS || Grantee?.URI === AUTHENTICATED_USERS);
}

function cannedGrants(canned: string, { owner, bucketOwner }: AclOwners): Grant[] {
  const own = ownerGrant(owner);
  const to = (uri: string, ...permissions: Permission[]): Grant[] => permissions.map((Permission) => ({ Grantee: group(uri), Permission }));
  const toBucketOwner = (Permission: Permission): Grant[] => (owner === bucketOwner ? [] : [{ Grantee: user(bucketOwner), Permission }]);
  switch (canned) {
    case "private":
      return [own];
    case "public-read":
      return [own, ...to(ALL_USERS, "READ")];
    case "public-read-write":
      return [own, ...to(ALL_USERS, "READ", "WRITE")];
    case "authenticated-read":
      return [own, ...to(AUTHENTICATED_USERS, "READ")];
    case "log-delivery-write":
      return [own, ...to(LOG_DELIVERY, "WRITE", "READ_ACP")];
    case "bucket-owner-read":
      return [own, ...toBucketOwner("READ")];
    case "bucket-owner-full-control":
      return [own, ...toBucketOwner("FULL_CONTROL")];
    default:
      throw refused("argument", `The canned ACL ${JSON.stringify(canned.slice(0, 100))} is none that is known here.`);
  }
}

/** `id="79a5…", uri="http://acs…/AllUsers"`. */
function headerGrants(header: string, permission: Permission): Grant[] {
  if (header.length > GRANTS_HEADER_CHARS_MAX) throw refused("argument", "A header of grants is too long.");
  return header.split(",").map((entry) => {
    const [, kind = "", value = ""] = /^\s*(id|uri|emailAddress)\s*=\s*"?([^"]{1,1024})"?\s*$/i.exec(entry) ?? [];
    const Grantee = granteeOf(kind.toLowerCase(), value);
    if (!Grantee) throw refused("argument", `Argument format not recognized: ${JSON.stringify(entry.slice(0, 200))}`);
    return { Grantee, Permission: permission };
  });
}

function granteeOf(kind: string, value: string): Grantee | undefined {
  switch (kind) {
    case "id":
      return { Type: "CanonicalUser", ID: value };
    case "uri":
      return group(value);
    case "emailaddress":
      throw refused("argument", "A grantee by e-mail address is none of an account here.");
    default:
      return undefined;
  }
}

function documentAcl({ Owner, Grants }: AccessControlPolicy, owner: string): Acl {
  const own = ownerOf(owner);
  if (Owner?.ID === undefined) throw refused("acl", "The ACL names no owner.");
  if (Owner.ID !== own.ID) throw new LambentError("AccessDenied", "Access Denied: the owner that the ACL names is not the owner.");
  return { Owner: own, Grants: checkedGrants((Grants ?? []).map(({ Grantee, Permission }) => ({ Grantee, Permission }))) };
}

function checkedGrants(grants: readonly Grant[]): Grant[] {
  if (grants.length > GRANTS_MAX) throw malformedXml(`an ACL has at most ${GRANTS_MAX} grants`);
  return grants.map(({ Grantee, Permission }) => {
    if (!Grantee || Permission === undefined || !PERMISSIONS.includes(Permission))
      throw refused("acl", "A grant has a grantee and a permission.");
    return { Grantee: checkedGrantee(Grantee), Permission };
  });
}

function checkedGrantee({ Type, ID, URI }: Grantee): Grantee {
  if (Type === "Group" && URI !== undefined) {
    if (![ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY].includes(URI)) throw refused("argument", "Invalid group uri");
    return group(URI);
  }
  if (Type === "CanonicalUser" && ID !== undefined) {
    if (!/^[0-9a-f]{64}$/.test(ID)) throw refused("argument", "Invalid id");
    return { Type, ID };
  }
  throw refused("acl", "A grantee is a CanonicalUser with ID, or a Group with URI.");
}

const group = (URI: string): Grantee => ({ Type: "Group", URI });
const user = (account: string): Grantee => ({ Type: "CanonicalUser", ...ownerOf(account) });

function ownerGrant(owner: string): Grant {
  return { Grantee: user(owner), Permission: "FULL_CONTROL" };
}
