import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isLambentError, ManualClock, systemSecureRandom, type ErrorCode } from "../../src/base/index.ts";
import {
  createAuthenticator,
  createCredentials,
  ephemeralSecrets,
  FUNCTION_CREDENTIALS_LIFE_MS,
  presign,
  signRequest,
  type SignedRequest,
  type SigningKey,
} from "../../src/security/index.ts";
import { functionVersion } from "../support/function-version.ts";

const ROOT = { accessKeyId: "AKIDEXAMPLEEXAMPLE00", secretAccessKey: "a-secret-of-some-length", account: "000000000000" };
const MINUTE_MS = 60_000;

function server() {
  const clock = new ManualClock();
  const { tokenKey } = ephemeralSecrets(systemSecureRandom);
  const credentials = createCredentials({ rootKeys: [ROOT], tokenKey, clock, secureRandom: systemSecureRandom });
  return { clock, credentials, authenticator: createAuthenticator({ credentials, clock }) };
}

const plainRequest: SignedRequest = {
  method: "POST",
  rawUrl: "/2015-03-31/functions/arn%3Aaws%3Alambda/invocations?Qualifier=1&X=a%20b",
  rawHeaders: ["Host", "127.0.0.1:4566", "Content-Type", "application/json", "X-Amz-Target", "Some.Operation"],
  body: Buffer.from('{"key":"value"}'),
};

function withHeaders(request: SignedRequest, added: Readonly<Record<string, string>>): SignedRequest {
  return { ...request, rawHeaders: [...request.rawHeaders, ...Object.entries(added).flat()] };
}

function signed(now: number, changed: { request?: SignedRequest; key?: SigningKey; service?: string } = {}): SignedRequest {
  const request = changed.request ?? plainRequest;
  return withHeaders(
    request,
    signRequest(request, changed.key ?? ROOT, { service: changed.service ?? "lambda", region: "us-east-1", now }),
  );
}

function presigned(now: number, expiresSeconds: number, request: SignedRequest = plainRequest, service = "lambda"): SignedRequest {
  return { ...request, rawUrl: presign(request, ROOT, { service, region: "us-east-1", now, expiresSeconds }) };
}

const refuses = (code: ErrorCode, act: () => unknown, message?: RegExp): void =>
  assert.throws(act, (error) => isLambentError(error, code) && (message === undefined || message.test(error.message)));

/** The same request with header `name` given another value, or removed. */
function setHeader(request: SignedRequest, name: string, value: string | undefined): SignedRequest {
  const rawHeaders: string[] = [];
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const [header = "", old = ""] = request.rawHeaders.slice(index, index + 2);
    if (header.toLowerCase() !== name) rawHeaders.push(header, old);
    else if (value !== undefined) rawHeaders.push(header, value);
  }
  return { ...request, rawHeaders };
}

describe("a signed request", () => {
  it("names its scope before it is checked", () => {
    const { clock, authenticator } = server();
    const scope = authenticator.credentialScope(signed(clock.now()));
    assert.deepEqual(scope, { accessKeyId: ROOT.accessKeyId, date: "20231114", region: "us-east-1", service: "lambda" });
    assert.equal(authenticator.credentialScope(plainRequest), undefined);
  });

  it("is the root principal's when a root key signed it, in the header or in the query", () => {
    const { clock, authenticator } = server();
    const root = { kind: "root", account: "000000000000", accessKeyId: ROOT.accessKeyId };
    assert.deepEqual(authenticator.authenticate(signed(clock.now()), "lambda"), root);
    assert.deepEqual(authenticator.authenticate(presigned(clock.now(), 60), "lambda"), root);
  });

  it("is accepted when HTTP/2 carries the host as :authority, whichever name was signed", () => {
    const { clock, authenticator } = server();
    for (const [signedName, sentName] of [
      [":authority", ":authority"],
      ["host", ":authority"],
      [":authority", "host"],
    ] as const) {
      const request = { ...plainRequest, rawHeaders: [signedName, "127.0.0.1:4566"] };
      const sent = signed(clock.now(), { request });
      const rawHeaders = [sentName, ...sent.rawHeaders.slice(1)];
      assert.equal(authenticator.authenticate({ ...sent, rawHeaders }, "lambda").kind, "root");
    }
  });

  it("is accepted 14 minutes off and refused 16 minutes off, both ways", () => {
    const { clock, authenticator } = server();
    for (const offset of [-14, 14])
      assert.equal(authenticator.authenticate(signed(clock.now() + offset * MINUTE_MS), "lambda").kind, "root");
    for (const offset of [-16, 16])
      refuses("RequestExpired", () => authenticator.authenticate(signed(clock.now() + offset * MINUTE_MS), "lambda"));
  });

  it("is refused without a signature, with an unknown key, and with a twelve-digit key that is not known", () => {
    const { clock, authenticator } = server();
    refuses("MissingCredentials", () => authenticator.authenticate(plainRequest, "lambda"));
    for (const accessKeyId of ["AKIAUNKNOWNUNKNOWN00", "123456789012", "__proto__"]) {
      const request = signed(clock.now(), { key: { ...ROOT, accessKeyId } });
      refuses("UnknownCredentials", () => authenticator.authenticate(request, "lambda"));
    }
  });

  it("is refused when the scope names another service or another day", () => {
    const { clock, authenticator } = server();
    refuses("SignatureMismatch", () => authenticator.authenticate(signed(clock.now()), "s3"), /signed for lambda but is one of s3/);
    const request = signed(clock.now());
    const authorization = request.rawHeaders.at(-1)?.replace("/20231114/", "/20231113/");
    refuses(
      "SignatureMismatch",
      () => authenticator.authenticate(setHeader(request, "authorization", authorization), "lambda"),
      /20231113/,
    );
  });

  it("is refused with another body, path, query, method, header value or secret", () => {
    const { clock, authenticator } = server();
    const request = signed(clock.now());
    const altered: SignedRequest[] = [
      { ...request, body: Buffer.from('{"key":"other"}') },
      { ...request, rawUrl: request.rawUrl.replace("functions", "function") },
      { ...request, rawUrl: request.rawUrl.replace("Qualifier=1", "Qualifier=2") },
      { ...request, rawUrl: `${request.rawUrl}&More=1` },
      { ...request, method: "PUT" },
      setHeader(request, "x-amz-target", "Some.OtherOperation"),
      setHeader(request, "x-amz-target", undefined),
      setHeader(request, "host", "127.0.0.2:4566"),
      signed(clock.now(), { key: { ...ROOT, secretAccessKey: "another-secret-of-some-length" } }),
    ];
    for (const one of altered) refuses("SignatureMismatch", () => authenticator.authenticate(one, "lambda"));
  });

  it("is refused with an x-amz- header that is not signed, in either form", () => {
    const { clock, authenticator } = server();
    const request = { ...plainRequest, rawHeaders: ["host", "127.0.0.1:4566"] };
    for (const one of [signed(clock.now(), { request }), presigned(clock.now(), 60, request)]) {
      refuses(
        "SignatureMismatch",
        () => authenticator.authenticate(withHeaders(one, { "X-Amz-Target": "Some.Operation" }), "lambda"),
        /x-amz-target/,
      );
    }
  });

  it("may carry unsigned headers of the way, such as a trace id", () => {
    const { clock, authenticator } = server();
    const request = withHeaders(signed(clock.now()), { "X-Amzn-Trace-Id": "Root=1", Connection: "close", "User-Agent": "x" });
    assert.equal(authenticator.authenticate(request, "lambda").kind, "root");
  });

  it("is refused when its body is not the one of x-amz-content-sha256", () => {
    const { clock, authenticator } = server();
    for (const service of ["lambda", "s3"]) {
      const request = withHeaders(plainRequest, { "x-amz-content-sha256": "0".repeat(64) });
      const forged =
        service === "lambda"
          ? signed(clock.now(), { request })
          : setHeader(signed(clock.now(), { service }), "x-amz-content-sha256", "0".repeat(64));
      refuses("SignatureMismatch", () => authenticator.authenticate(forged, service), /SHA-256 of the body/);
    }
  });

  it("to S3 needs x-amz-content-sha256, and bodies in signed chunks are not supported", () => {
    const { clock, authenticator } = server();
    const request = signed(clock.now(), { service: "s3" });
    refuses("SignatureMismatch", () => authenticator.authenticate(setHeader(request, "x-amz-content-sha256", undefined), "s3"));
    refuses("NotImplemented", () =>
      authenticator.authenticate(setHeader(request, "x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), "s3"),
    );
    assert.equal(authenticator.authenticate(presigned(clock.now(), 60, plainRequest, "s3"), "s3").kind, "root");
  });
});

describe("a presigned request", () => {
  it("is good until its end and refused after it, and before it by more than 15 minutes", async () => {
    const { clock, authenticator } = server();
    const request = presigned(clock.now(), 3_600);
    await clock.advance(3_600_000);
    assert.equal(authenticator.authenticate(request, "lambda").kind, "root");
    await clock.advance(1);
    refuses("RequestExpired", () => authenticator.authenticate(request, "lambda"));
    refuses("RequestExpired", () => authenticator.authenticate(presigned(clock.now() + 16 * MINUTE_MS, 3_600), "lambda"));
  });

  it("lasts at most seven days", () => {
    const { clock, authenticator } = server();
    assert.equal(authenticator.authenticate(presigned(clock.now(), 604_800), "lambda").kind, "root");
    for (const seconds of [604_801, -1, 1.5])
      refuses("IncompleteSignature", () => authenticator.authenticate(presigned(clock.now(), seconds), "lambda"), /X-Amz-Expires/);
  });
});

describe("a malformed signature", () => {
  const cases: readonly (readonly [string, (request: SignedRequest) => SignedRequest])[] = [
    ["another algorithm", (request) => setHeader(request, "authorization", "AWS4-ECDSA-P256-SHA256 Credential=x")],
    ["a bearer token", (request) => setHeader(request, "authorization", "Bearer abc")],
    ["no Credential", (request) => edit(request, /Credential=[^,]+, /, "")],
    ["a credential of four parts", (request) => edit(request, "/us-east-1/", "/")],
    ["a region that is no name", (request) => edit(request, "us-east-1", "US/EAST")],
    ["no SignedHeaders", (request) => edit(request, /SignedHeaders=[^,]+, /, "")],
    ["SignedHeaders without host", (request) => edit(request, "content-type;host;", "content-type;")],
    ["SignedHeaders out of order", (request) => edit(request, "content-type;host", "host;content-type")],
    ["SignedHeaders in capitals", (request) => edit(request, "content-type;host", "Content-Type;host")],
    ["a short signature", (request) => edit(request, /.$/, "")],
    ["a signature in capitals", (request) => edit(request, /Signature=.*/, `Signature=${"A".repeat(64)}`)],
    ["no X-Amz-Date", (request) => setHeader(request, "x-amz-date", undefined)],
    ["an impossible X-Amz-Date", (request) => setHeader(request, "x-amz-date", "20230231T000000Z")],
    ["two Authorization headers", (request) => withHeaders(request, { Authorization: "AWS4-HMAC-SHA256 x" })],
    ["a signature in the query as well", (request) => ({ ...request, rawUrl: `${request.rawUrl}&X-Amz-Signature=00` })],
  ];
  for (const [what, change] of cases) {
    it(`is IncompleteSignature: ${what}`, () => {
      const { clock, authenticator } = server();
      refuses("IncompleteSignature", () => authenticator.authenticate(change(signed(clock.now())), "lambda"));
    });
  }

  function edit(request: SignedRequest, from: string | RegExp, to: string): SignedRequest {
    const authorization = request.rawHeaders[request.rawHeaders.indexOf("authorization") + 1] ?? "";
    const changed = authorization.replace(from, to);
    assert.notEqual(changed, authorization);
    return setHeader(request, "authorization", changed);
  }
});

describe("session credentials", () => {
  it("of a function authenticate as that function, and nothing of them is predictable", () => {
    const { clock, credentials, authenticator } = server();
    const version = functionVersion();
    const [one, two] = [credentials.issue(version), credentials.issue(version)];
    assert.match(one.accessKeyId, /^ASIA[A-Z2-7]{16}$/);
    assert.equal(one.secretAccessKey.length, 40);
    assert.notEqual(one.sessionToken, two.sessionToken);
    assert.notEqual(one.secretAccessKey, two.secretAccessKey);
    const principal = authenticator.authenticate(signed(clock.now(), { key: one }), "lambda");
    assert.deepEqual(principal, {
      kind: "function",
      realm: version.realm,
      functionName: "hello",
      version: "$LATEST",
      revisionId: version.revisionId,
      roleArn: version.roleArn,
      accessKeyId: one.accessKeyId,
      expiresAt: clock.now() + FUNCTION_CREDENTIALS_LIFE_MS,
    });
  });

  it("authenticate in a presigned URL and with the token sent unsigned", () => {
    const { clock, credentials, authenticator } = server();
    const key = credentials.issue(functionVersion());
    const rawUrl = presign(plainRequest, key, { service: "lambda", region: "us-east-1", now: clock.now(), expiresSeconds: 60 });
    assert.equal(authenticator.authenticate({ ...plainRequest, rawUrl }, "lambda").kind, "function");
    const later = withHeaders(signed(clock.now(), { key: { ...key, sessionToken: undefined } }), {
      "x-amz-security-token": key.sessionToken,
    });
    assert.equal(authenticator.authenticate(later, "lambda").kind, "function");
  });

  it("end at their expiry", async () => {
    const { clock, credentials, authenticator } = server();
    const key = credentials.issue(functionVersion());
    await clock.advance(FUNCTION_CREDENTIALS_LIFE_MS - 1);
    assert.equal(authenticator.authenticate(signed(clock.now(), { key }), "lambda").kind, "function");
    await clock.advance(1);
    refuses("ExpiredCredentials", () => authenticator.authenticate(signed(clock.now(), { key }), "lambda"));
  });

  it("are refused without their token, with another session's, from another server, and with a root key", () => {
    const { clock, credentials, authenticator } = server();
    const [key, other] = [credentials.issue(functionVersion()), credentials.issue(functionVersion({ name: "other" }))];
    const foreign = server().credentials.issue(functionVersion());
    const keys: SigningKey[] = [
      { ...key, sessionToken: undefined },
      { ...key, sessionToken: other.sessionToken },
      { ...ROOT, sessionToken: key.sessionToken },
      foreign,
    ];
    for (const wrong of keys)
      refuses("UnknownCredentials", () => authenticator.authenticate(signed(clock.now(), { key: wrong }), "lambda"));
  });

  it("do not survive a change of any character of their token", () => {
    const { credentials } = server();
    const key = credentials.issue(functionVersion());
    fc.assert(
      fc.property(fc.nat(key.sessionToken.length - 1), fc.integer({ min: 1, max: 127 }), (position, by) => {
        const code = (key.sessionToken.charCodeAt(position) + by) % 128;
        const sessionToken = key.sessionToken.slice(0, position) + String.fromCharCode(code) + key.sessionToken.slice(position + 1);
        refuses("UnknownCredentials", () => credentials.find(key.accessKeyId, sessionToken));
      }),
      { seed: 7, numRuns: 500 },
    );
  });
});

describe("changing one byte of what is signed", () => {
  const { clock, authenticator } = server();
  const base = signed(clock.now());
  const parts: readonly (readonly [string, string, (value: string) => SignedRequest])[] = [
    ["the method", base.method, (method) => ({ ...base, method })],
    ["path and query", base.rawUrl, (rawUrl) => ({ ...base, rawUrl })],
    ["the body", base.body.toString(), (body) => ({ ...base, body: Buffer.from(body, "latin1") })],
    ...["host", "content-type", "x-amz-target", "x-amz-date", "authorization"].map((name) => {
      const at = base.rawHeaders.findIndex((header, index) => index % 2 === 0 && header.toLowerCase() === name) + 1;
      const value = base.rawHeaders[at] ?? "";
      return [`the header ${name}`, value, (changed: string) => ({ ...base, rawHeaders: base.rawHeaders.with(at, changed) })] as const;
    }),
  ];

  for (const [what, text, rebuild] of parts) {
    it(`is refused with an error of the catalogue: ${what}`, () => {
      fc.assert(
        fc.property(fc.nat(text.length - 1), fc.integer({ min: 0x21, max: 0xff }), (position, code) => {
          const character = String.fromCharCode(code);
          if (text.charAt(position) === character) return;
          const changed = text.slice(0, position) + character + text.slice(position + 1);
          // The separators of the Authorization header may be spelled in several ways; what they separate may not.
          if (what.endsWith("authorization") && /[ ,]/.test(text.charAt(position))) return;
          if (sameMeaning(text, changed)) return;
          assert.throws(
            () => authenticator.authenticate(rebuild(changed), "lambda"),
            (error) => isLambentError(error),
            changed,
          );
        }),
        { seed: 11, numRuns: 600 },
      );
    });
  }

  /** Escapes in lower or upper case stand for the same byte in a query. */
  function sameMeaning(a: string, b: string): boolean {
    const [aPath = "", aQuery] = a.split("?");
    const [bPath = "", bQuery] = b.split("?");
    return (
      aPath === bPath &&
      aQuery !== undefined &&
      aQuery.toLowerCase() === bQuery?.toLowerCase() &&
      decodeURIComponent(aQuery) === safeDecode(bQuery)
    );
  }

  function safeDecode(text: string): string | undefined {
    try {
      return decodeURIComponent(text);
    } catch {
      return undefined;
    }
  }
});
