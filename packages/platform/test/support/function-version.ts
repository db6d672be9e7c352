import type { FunctionVersion } from "../../src/model/index.ts";

/** A version with everything at its default; a test names only what it is about. */
export function functionVersion(changed: Partial<FunctionVersion> = {}): FunctionVersion {
  const name = changed.name ?? "hello";
  return {
    realm: { account: "000000000000", region: "us-east-1" },
    name,
    version: "$LATEST",
    revisionId: "11111111-1111-4111-8111-111111111111",
    modifiedAt: 1_700_000_000_000,
    code: { sha256: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", zipBytes: 300, unpackedBytes: 200 },
    description: "",
    runtime: "nodejs22.x",
    handler: "index.handler",
    roleArn: "arn:aws:iam::000000000000:role/lambda",
    memoryMb: 128,
    timeoutMs: 3_000,
    tmpMb: 512,
    environment: {},
    layers: [],
    architecture: "x86_64",
    logging: { format: "Text", applicationLevel: "INFO", systemLevel: "INFO", group: `/aws/lambda/${name}` },
    concurrencyPerInstance: 1,
    handlerStyle: "lambda",
    tracing: "PassThrough",
    deadLetterArn: undefined,
    ...changed,
  };
}
