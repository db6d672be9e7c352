/** What boto3 signed for S3 at one moment (fixtures/s3-signatures), and a server of that moment that knows its key. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ManualClock, systemSecureRandom } from "../../src/base/index.ts";
import { createAuthenticator, createCredentials, ephemeralSecrets } from "../../src/security/index.ts";

interface Boto3Signatures {
  /** Seconds. */
  readonly now: number;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly urls: readonly Boto3Url[];
  readonly posts: readonly Boto3Post[];
}

export interface Boto3Url {
  readonly version: "s3" | "s3v4";
  readonly style: "path" | "virtual";
  readonly operation: string;
  readonly method: string;
  readonly url: string;
}

export interface Boto3Post {
  readonly version: "s3" | "s3v4";
  readonly key: string;
  readonly fields: Readonly<Record<string, string>>;
}

export const BOTO3 = JSON.parse(readFileSync(join(import.meta.dirname, "../fixtures/s3-signatures/boto3.json"), "utf8")) as Boto3Signatures;

/** A server at the moment of the signatures. */
export function boto3Server() {
  const clock = new ManualClock(BOTO3.now * 1_000);
  const { tokenKey } = ephemeralSecrets(systemSecureRandom);
  const { accessKeyId, secretAccessKey } = BOTO3;
  const rootKeys = [{ accessKeyId, secretAccessKey, account: "000000000000" }];
  const credentials = createCredentials({ rootKeys, tokenKey, clock, secureRandom: systemSecureRandom });
  return { clock, credentials, authenticator: createAuthenticator({ credentials, clock }) };
}
