import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { isLambentError, ManualClock } from "../../src/base/index.ts";
import { presign, signRequest, type SignedRequest } from "../../src/security/index.ts";
import { readClaim } from "../../src/security/sigv4/claim.ts";
import { payloadHashOf } from "../../src/security/sigv4/payload.ts";
import { SigningKeys } from "../../src/security/sigv4/signing-key.ts";
import { checkSignature, checkTime } from "../../src/security/sigv4/verify.ts";

const FOLDER = join(import.meta.dirname, "../fixtures/sigv4");

interface VectorContext {
  readonly credentials: { readonly access_key_id: string; readonly secret_access_key: string; readonly token?: string };
  readonly expiration_in_seconds: number;
  readonly normalize: boolean;
  readonly region: string;
  readonly service: string;
  readonly sign_body: boolean;
  readonly timestamp: string;
  readonly omit_session_token?: boolean;
}

/** A raw HTTP/1.1 message as the listener would hand it on: one character a byte, folded lines joined to their header. */
function parseMessage(text: string): SignedRequest {
  const separator = text.indexOf("\n\n");
  const head = (separator < 0 ? text : text.slice(0, separator)).trimEnd();
  const body = separator < 0 ? "" : text.slice(separator + 2);
  const [requestLine = "", ...lines] = head.split("\n");
  const match = /^(\S+) (.*) HTTP\/1\.1$/.exec(requestLine.trimEnd());
  assert.ok(match, requestLine);
  const rawHeaders: string[] = [];
  for (const line of lines) {
    if (/^[ \t]/.test(line)) rawHeaders[rawHeaders.length - 1] += `\n${line}`;
    else rawHeaders.push(line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1));
  }
  return { method: match[1] ?? "", rawUrl: match[2] ?? "", rawHeaders, body: Buffer.from(body, "latin1") };
}

function load(name: string) {
  const text = (file: string): string => readFileSync(join(FOLDER, name, file), "latin1");
  const context = JSON.parse(text("context.json")) as VectorContext;
  const { credentials } = context;
  return {
    context,
    text,
    message: (file: string) => parseMessage(text(file)),
    key: {
      accessKeyId: credentials.access_key_id,
      secretAccessKey: credentials.secret_access_key,
      sessionToken: context.omit_session_token ? undefined : credentials.token,
    },
    options: {
      service: context.service,
      region: context.region,
      now: Date.parse(context.timestamp),
      pathStyle: context.normalize ? ("normalised" as const) : ("raw" as const),
      bodyHashHeader: context.sign_body,
    },
  };
}

function verify(request: SignedRequest, vector: ReturnType<typeof load>): void {
  const claim = readClaim(request);
  assert.ok(claim);
  checkTime(claim, new ManualClock(vector.options.now).now());
  checkSignature(request, claim, {
    keys: new SigningKeys(),
    secretAccessKey: vector.key.secretAccessKey,
    payloadHash: () => payloadHashOf(request, claim),
    pathStyle: vector.options.pathStyle,
  });
}

const names = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

describe("the published SigV4 vectors", () => {
  it("are all there", () => assert.equal(names.length, 38));

  for (const name of names) {
    const vector = load(name);
    it(`${name}: signing in the header gives the published signature`, () => {
      const added = signRequest(vector.message("request.txt"), vector.key, vector.options);
      assert.match(added["authorization"] ?? "", new RegExp(`Signature=${vector.text("header-signature.txt").trim()}$`));
    });

    it(`${name}: presigning gives the published signature`, () => {
      const target = presign(vector.message("request.txt"), vector.key, {
        ...vector.options,
        expiresSeconds: vector.context.expiration_in_seconds,
      });
      assert.match(target, new RegExp(`&X-Amz-Signature=${vector.text("query-signature.txt").trim()}$`));
    });

    it(`${name}: the signed request is accepted`, () => verify(vector.message("header-signed-request.txt"), vector));

    if (vector.context.omit_session_token) {
      // A token put into the query after signing would be an unsigned parameter; only its header may come later.
      it(`${name}: a presigned request with a token added after signing is refused`, () => {
        const request = vector.message("query-signed-request.txt");
        assert.throws(
          () => verify(request, vector),
          (error) => isLambentError(error, "SignatureMismatch"),
        );
      });
    } else {
      it(`${name}: the presigned request is accepted`, () => verify(vector.message("query-signed-request.txt"), vector));
    }
  }
});
