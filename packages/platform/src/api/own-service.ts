import type { ServiceMetadata } from "../wire/index.ts";

/** What a start has to know of Lambent's own service; its schema is in `lambent/`. */
export const LAMBENT_METADATA = {
  name: "lambent",
  signingName: "lambent",
  endpointPrefix: "lambent",
  apiVersion: "v1",
  protocol: "restJson1",
  targetPrefix: "Lambent",
  namespace: "lambent",
  payloadContentType: "application/x-ndjson",
} as const satisfies ServiceMetadata;

/** Where `GetCode` is for the code with this SHA-256 (base64url). */
export function codePath(sha256: string): string {
  return `/_lambent/v1/code/${sha256}`;
}
