/**
 * AWS's published example of a body in signed chunks, without and with trailers: 66,560 times the letter a, in chunks of 64 KiB and 1 KiB.
 * See "Signature calculations for the Authorization header: transferring a payload in multiple chunks" in the S3 API reference.
 */
import { createAuthenticator, createCredentials, ephemeralSecrets, type RequestHead } from "../../src/security/index.ts";
import { ManualClock, systemSecureRandom } from "../../src/base/index.ts";

const CREDENTIAL = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";
const KEY = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", account: "000000000000" };

export interface ChunkedVector {
  readonly head: RequestHead;
  /** Of each chunk, the empty last one included. */
  readonly signatures: readonly string[];
  /** Of the trailers. */
  readonly trailerSignature?: string;
}

/** Its only trailer, as it is signed. */
export const VECTOR_TRAILERS = "x-amz-checksum-crc32c:sOO8/Q==\n";
export const VECTOR_CHUNKS: readonly Buffer[] = [Buffer.alloc(65_536, "a"), Buffer.alloc(1_024, "a"), Buffer.alloc(0)];

const SHARED = [
  ["Host", "s3.amazonaws.com"],
  ["x-amz-date", "20130524T000000Z"],
  ["x-amz-storage-class", "REDUCED_REDUNDANCY"],
  ["Content-Encoding", "aws-chunked"],
  ["x-amz-decoded-content-length", "66560"],
  ["Content-Length", "66824"],
];

function head(own: readonly (readonly string[])[], signedHeaders: string, signature: string): RequestHead {
  const authorization = `AWS4-HMAC-SHA256 Credential=${CREDENTIAL},SignedHeaders=${signedHeaders},Signature=${signature}`;
  return {
    method: "PUT",
    rawUrl: "/examplebucket/chunkObject.txt",
    rawHeaders: [...SHARED, ...own, ["Authorization", authorization]].flat(),
  };
}

export const PLAIN_VECTOR: ChunkedVector = {
  head: head(
    [["x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"]],
    "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
    "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
  ),
  signatures: [
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
  ],
};

export const TRAILER_VECTOR: ChunkedVector = {
  head: head(
    [
      ["x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"],
      ["x-amz-trailer", "x-amz-checksum-crc32c"],
    ],
    "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer",
    "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
  ),
  signatures: [
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
  ],
  trailerSignature: "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435",
};

/** An authenticator that knows AWS's example key, on the day of the example. */
export function vectorAuthenticator() {
  const clock = new ManualClock(Date.UTC(2013, 4, 24));
  const { tokenKey } = ephemeralSecrets(systemSecureRandom);
  const credentials = createCredentials({ rootKeys: [KEY], tokenKey, clock, secureRandom: systemSecureRandom });
  return createAuthenticator({ credentials, clock });
}

/** The body of a vector with its framing. */
export function framedBody({ signatures, trailerSignature }: ChunkedVector): Buffer {
  const pieces: (string | Buffer)[] = VECTOR_CHUNKS.flatMap((chunk, index) => [
    `${chunk.length.toString(16)};chunk-signature=${signatures[index]}\r\n`,
    ...(chunk.length > 0 ? [chunk, "\r\n"] : []),
  ]);
  if (trailerSignature !== undefined) pieces.push(`${VECTOR_TRAILERS.trimEnd()}\r\nx-amz-trailer-signature:${trailerSignature}\r\n`);
  return Buffer.concat([...pieces, "\r\n"].map((piece) => Buffer.from(piece)));
}
