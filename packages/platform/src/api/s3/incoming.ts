import { LambentError } from "../../base/index.ts";
import type { IncomingBody } from "../../objects/index.ts";
import { algorithmOf, checkedMd5, type ChecksumMembers, givenChecksum } from "./checksums.ts";

/** What of an input says what its body is. */
export interface BodyInput extends ChecksumMembers {
  readonly Body?: unknown;
  readonly ContentMD5?: string | undefined;
  readonly ChecksumAlgorithm?: string | undefined;
}

/** An input with a body as it is here, not as clients have it. */
export type Incoming<Request extends { readonly Body?: unknown }> = Omit<Request, "Body"> & Pick<BodyInput, "Body">;

/** The body of a call: from the gateway as it comes in, from callers inside this server whole, or none, which is an empty one. */
export function bodyOf(input: BodyInput): IncomingBody {
  const body = wholeOrComing(input.Body);
  const given = givenChecksum(input);
  const algorithm = algorithmOf(input.ChecksumAlgorithm);
  return {
    ...body,
    md5: checkedMd5(body.md5 ?? input.ContentMD5),
    // A presigned link names the algorithm without a value: then it is computed and kept.
    checksum: body.checksum ?? given ?? (algorithm && { algorithm }),
  };
}

function wholeOrComing(body: unknown): IncomingBody {
  if (body === undefined || body === null) return { source: Buffer.alloc(0), length: 0 };
  if (typeof body === "string") return wholeOrComing(Buffer.from(body));
  if (body instanceof Uint8Array) return { source: body, length: body.length };
  if (isIncoming(body)) return body;
  throw new LambentError("InvalidParameter", "Body is neither bytes nor text.");
}

function isIncoming(body: unknown): body is IncomingBody {
  return typeof body === "object" && body !== null && "source" in body;
}
