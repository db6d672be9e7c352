import { LambentError } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import { ALIAS_NAME_LENGTH_MAX, FUNCTION_NAME_LENGTH_MAX, LAYER_NAME_LENGTH_MAX } from "./limits.ts";

/** A function as callers name it, taken apart. */
export interface FunctionReference {
  readonly name: string;
  /** Version number, alias or `$LATEST`; undefined when none was given. */
  readonly qualifier: string | undefined;
}

const REFERENCE =
  /^(?:arn:(?<partition>aws[a-zA-Z-]*):lambda:)?(?:(?<region>[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d):)?(?:(?<account>\d{12}):)?(?:function:)?(?<name>[a-zA-Z0-9-_]+)(?::(?<qualifier>\$LATEST|[a-zA-Z0-9-_]+))?$/;
const LAYER_REFERENCE =
  /^(?:arn:aws[a-zA-Z-]*:lambda:(?<region>[a-z0-9-]+):(?<account>\d{12}):layer:)?(?<name>[a-zA-Z0-9-_]+)(?::(?<version>\d+))?$/;

/**
 * Takes apart a name, `name:qualifier`, a partial ARN (`123456789012:function:name`) or a whole one; all may carry a qualifier,
 * which must not contradict `qualifier`, the one given beside it. Throws `InvalidParameter`, or `NotFound` for another realm.
 */
export function parseFunctionReference(text: string, realm: Realm, qualifier?: string): FunctionReference {
  const groups = REFERENCE.exec(text)?.groups;
  const name = groups?.["name"] ?? "";
  if (groups === undefined || name.length > FUNCTION_NAME_LENGTH_MAX) {
    throw new LambentError(
      "InvalidParameter",
      `FunctionName is ${JSON.stringify(text.slice(0, 200))}; it is a name of 1 to ${FUNCTION_NAME_LENGTH_MAX} letters, digits, - and _, or a function's ARN.`,
    );
  }
  requireSameRealm(groups, realm, text);
  const within = groups["qualifier"];
  if (within !== undefined && qualifier !== undefined && within !== qualifier) {
    throw new LambentError("InvalidParameter", "The derived qualifier from the function name does not match the specified qualifier.");
  }
  return { name, qualifier: within ?? qualifier };
}

/** The name in a reference that must not carry a qualifier. */
export function parseUnqualifiedReference(text: string, realm: Realm): string {
  const { name, qualifier } = parseFunctionReference(text, realm);
  if (qualifier !== undefined)
    throw new LambentError("InvalidParameter", `FunctionName is ${text}; this operation takes it without a qualifier.`);
  return name;
}

/** A layer's name, from the name or its ARN. `account` is the ARN's, when it has one. */
export function parseLayerReference(
  text: string,
  realm: Realm,
): { readonly name: string; readonly version: number | undefined; readonly realm: Realm } {
  const groups = LAYER_REFERENCE.exec(text)?.groups;
  const name = groups?.["name"] ?? "";
  if (groups === undefined || name.length > LAYER_NAME_LENGTH_MAX) {
    throw new LambentError(
      "InvalidParameter",
      `The layer ${JSON.stringify(text.slice(0, 200))} is not a name of 1 to ${LAYER_NAME_LENGTH_MAX} letters, digits, - and _, nor a layer's ARN.`,
    );
  }
  const region = groups["region"] ?? realm.region;
  if (region !== realm.region)
    throw new LambentError("InvalidParameter", `The layer ${text} is in region ${region}; functions here use layers of ${realm.region}.`);
  const version = groups["version"];
  return {
    name,
    version: version === undefined ? undefined : Number(version),
    realm: { account: groups["account"] ?? realm.account, region },
  };
}

/** `arn:aws:lambda:<region>:<account>:function:<name>[:<qualifier>]`. */
export function functionArn(realm: Realm, name: string, qualifier?: string): string {
  const arn = `arn:aws:lambda:${realm.region}:${realm.account}:function:${name}`;
  return qualifier === undefined ? arn : `${arn}:${qualifier}`;
}

/** `arn:aws:lambda:<region>:<account>:layer:<name>[:<version>]`. */
export function layerArn(realm: Realm, name: string, version?: number): string {
  const arn = `arn:aws:lambda:${realm.region}:${realm.account}:layer:${name}`;
  return version === undefined ? arn : `${arn}:${version}`;
}

/** Version numbers are names of their own: an alias is never all digits. */
export function isVersionNumber(qualifier: string): boolean {
  return /^[0-9]+$/.test(qualifier);
}

/** Throws `InvalidParameter` when `name` cannot be an alias. */
export function requireAliasName(name: string): void {
  if (name.length > ALIAS_NAME_LENGTH_MAX || isVersionNumber(name) || !/^[a-zA-Z0-9-_]+$/.test(name)) {
    throw new LambentError(
      "InvalidParameter",
      `The alias name ${JSON.stringify(name.slice(0, 200))} is not 1 to ${ALIAS_NAME_LENGTH_MAX} letters, digits, - and _, not all of them digits.`,
    );
  }
}

function requireSameRealm(groups: Readonly<Record<string, string | undefined>>, realm: Realm, text: string): void {
  const region = groups["region"];
  if (region !== undefined && region !== realm.region) {
    throw new LambentError("NotFound", `Functions from '${region}' are not reachable in this region ('${realm.region}').`);
  }
  const account = groups["account"];
  if (account !== undefined && account !== realm.account) {
    throw new LambentError("NotFound", `Function not found: ${text}; this request belongs to account ${realm.account}.`);
  }
}
