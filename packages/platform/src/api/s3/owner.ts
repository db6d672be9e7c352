import { createHash } from "node:crypto";

/** An account as S3 names owners: 64 hexadecimal digits, the same for an account wherever it is asked for. */
export function canonicalId(account: string): string {
  return createHash("sha256").update(`canonical user of ${account}`).digest("hex");
}

/** An owner as S3's answers say it. */
export function ownerOf(account: string): { readonly ID: string; readonly DisplayName: string } {
  return { ID: canonicalId(account), DisplayName: account };
}
