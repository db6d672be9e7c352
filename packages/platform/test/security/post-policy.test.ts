import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isLambentError, type ErrorCode } from "../../src/base/index.ts";
import { type AuthenticatedPost, checkPostedBytes, type PostForm, verifyPostPolicy } from "../../src/security/index.ts";
import { BOTO3, type Boto3Post, boto3Server } from "../support/boto3-signatures.ts";
import { functionVersion } from "../support/function-version.ts";

const NOW = BOTO3.now * 1_000;
const { credentials } = boto3Server();
const verify = (form: PostForm, now = NOW): AuthenticatedPost => verifyPostPolicy(form, now, credentials, { regionless: "us-east-1" });

function formOf(fields: Readonly<Record<string, string>>, bucket = "photos"): PostForm {
  return { bucket, fields: new Map(Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value])) };
}

const refuses = (code: ErrorCode, form: PostForm, message?: RegExp, now = NOW): void =>
  assert.throws(
    () => verify(form, now),
    (error) => isLambentError(error, code) && (message === undefined || message.test(error.message)),
    JSON.stringify([...form.fields]),
  );

/** A form signed with Version 2 over `policy`. */
function signedForm(policy: unknown, fields: Readonly<Record<string, string>> = {}, key = BOTO3): PostForm {
  const text = Buffer.from(typeof policy === "string" ? policy : JSON.stringify(policy)).toString("base64");
  const signature = createHmac("sha1", key.secretAccessKey).update(text).digest("base64");
  return formOf({ key: "a", AWSAccessKeyId: key.accessKeyId, policy: text, signature, ...fields });
}

const EXPIRATION = new Date(NOW + 60_000).toISOString();
const policyOf = (...conditions: readonly unknown[]) => ({ expiration: EXPIRATION, conditions: [["eq", "$key", "a"], ...conditions] });

describe("a form made by boto3", () => {
  const filled = ({ fields }: Boto3Post): Record<string, string> => ({
    ...fields,
    key: (fields["key"] ?? "").replace("${filename}", "b.png"),
  });
  for (const post of BOTO3.posts) {
    const fields = filled(post);
    const hasRange = fields["acl"] !== undefined;

    it(`is the root principal's: ${post.version}, ${post.key}${hasRange ? ", with conditions" : ""}`, () => {
      const answer = verify(formOf(fields));
      assert.equal(answer.principal.kind, "root");
      assert.deepEqual(answer.realm, { account: "000000000000", region: "us-east-1" });
      assert.deepEqual(answer.bytes, hasRange ? { min: 10, max: 1_000 } : undefined);
    });

    it(`is refused once altered: ${post.version}, ${post.key}${hasRange ? ", with conditions" : ""}`, () => {
      refuses(
        "AccessDenied",
        formOf({ ...fields, key: "other/key" }),
        /^Invalid according to Policy: Policy Condition failed: \["(eq|starts-with)", ?"\$key"/,
      );
      refuses("AccessDenied", formOf(fields, "others"), /"\$bucket"/);
      refuses(
        "AccessDenied",
        formOf({ ...fields, "x-amz-meta-more": "1" }),
        /^Invalid according to Policy: Extra input fields: x-amz-meta-more$/,
      );
      refuses("AccessDenied", formOf(fields), /^Invalid according to Policy: Policy expired\.$/, NOW + 600_000);
      verify(formOf({ ...fields, "x-ignore-this": "1" }), NOW + 599_999);
      for (const name of ["policy", "signature", "x-amz-signature"]) {
        const value = fields[name];
        if (value === undefined) continue;
        refuses("SignatureMismatch", formOf({ ...fields, [name]: (value.startsWith("0") ? "1" : "0") + value.slice(1) }));
        refuses(
          "InvalidParameter",
          formOf(Object.fromEntries(Object.entries(fields).filter(([other]) => other !== name))),
          new RegExp(`'${name}'`),
        );
      }
      if (!hasRange) return;
      refuses("AccessDenied", formOf({ ...fields, "Content-Type": "text/html" }), /starts-with.*Content-Type/);
      refuses("AccessDenied", formOf({ ...fields, "Content-Type": "image/png,text/html" }));
      verify(formOf({ ...fields, "Content-Type": "image/png, image/gif" }));
      const { acl: _unused, ...withoutAcl } = fields;
      refuses("AccessDenied", formOf(withoutAcl), /"\$acl"/);
    });
  }
});

describe("a form", () => {
  it("without policy and signature is nobody's", () => {
    assert.deepEqual(verify(formOf({ key: "a" })), { principal: { kind: "anonymous" }, signedBy: "nobody" });
  });

  it("has a file as large as its policy says", () => {
    const { bytes } = verify(signedForm(policyOf(["content-length-range", 1, 100], ["content-length-range", "5", "1000"])));
    assert.deepEqual(bytes, { min: 5, max: 100 });
    for (const [length, what] of [
      [4, "entityTooSmall"],
      [101, "entityTooLarge"],
    ] as const)
      assert.throws(() => checkPostedBytes(bytes, length), { code: "InvalidParameter", details: { what } });
    for (const length of [5, 100]) checkPostedBytes(bytes, length);
    checkPostedBytes(undefined, 2 ** 40);
  });

  it("of a session has its token, signed for as any field", () => {
    const key = { ...BOTO3, ...credentials.issue(functionVersion()) };
    const token = { "x-amz-security-token": key.sessionToken };
    assert.equal(verify(signedForm(policyOf(token), token, key)).principal.kind, "function");
    refuses("AccessDenied", signedForm(policyOf(), token, key), /Extra input fields/);
    refuses("UnknownCredentials", signedForm(policyOf(), {}, key));
    refuses(
      "UnknownCredentials",
      signedForm(policyOf(token), { "x-amz-security-token": credentials.issue(functionVersion()).sessionToken }, key),
    );
  });

  it("signed with Version 4 names its key, its day and s3", () => {
    const fields = BOTO3.posts.find((post) => post.version === "s3v4")?.fields ?? {};
    const changed = (name: string, from: string, to: string): PostForm =>
      formOf({ ...fields, [name]: (fields[name] ?? "").replace(from, to) });
    refuses("SignatureMismatch", changed("x-amz-credential", "/s3/", "/sqs/"));
    refuses("SignatureMismatch", changed("x-amz-credential", "/20231114/", "/20231113/"));
    refuses("SignatureMismatch", changed("x-amz-credential", "us-east-1", "us-east-2"));
    refuses("UnknownCredentials", changed("x-amz-credential", "AKID", "AKIE"));
    refuses("IncompleteSignature", changed("x-amz-credential", "/aws4_request", ""));
    refuses("InvalidParameter", changed("x-amz-algorithm", "SHA256", "SHA1"));
    refuses("InvalidParameter", changed("x-amz-date", "T22", " 22"));
    refuses("InvalidParameter", formOf({ ...fields, signature: "x" }));
  });

  const malformed: readonly (readonly [string, unknown])[] = [
    ["no JSON", "{"],
    ["a list", []],
    ["no expiration", { conditions: [] }],
    ["an expiration that is no time", { expiration: "2023-02-31", conditions: [] }],
    ["an expiration without a zone", { expiration: "2030-01-01T00:00:00", conditions: [] }],
    ["no conditions", { expiration: EXPIRATION }],
    ["conditions that are no list", { expiration: EXPIRATION, conditions: {} }],
    ["a member nobody knows", { ...policyOf(), more: 1 }],
    ["a condition of two members", policyOf({ acl: "a", key: "b" })],
    ["an empty condition", policyOf({})],
    ["a condition that is a text", policyOf("acl")],
    ["a condition that is null", policyOf(null)],
    ["a value that is a number", policyOf({ acl: 1 })],
    ["an unknown operator", policyOf(["ends-with", "$key", "a"])],
    ["a field without $", policyOf(["eq", "acl", "a"])],
    ["a comparison of four", policyOf(["eq", "$acl", "a", "b"])],
    ["a range that is no number", policyOf(["content-length-range", "a", 1])],
    ["a range the wrong way round", policyOf(["content-length-range", 2, 1])],
    ["a negative range", policyOf(["content-length-range", -1, 1])],
    ["too many conditions", policyOf(...Array.from({ length: 200 }, () => ({ acl: "a" })))],
    ["too long a text", policyOf({ acl: "a".repeat(40_000) })],
    ["deep nesting", `{"expiration":"${EXPIRATION}","conditions":${"[".repeat(10_000)}${"]".repeat(10_000)}}`],
  ];
  for (const [what, policy] of malformed) {
    it(`has a malformed policy: ${what}`, () => {
      assert.throws(() => verify(signedForm(policy)), {
        code: "InvalidParameter",
        details: { what: "policy" },
        message: /^Invalid Policy: /,
      });
    });
  }

  it("does not escape its policy by names of JavaScript's own", () => {
    refuses("AccessDenied", signedForm(`{"expiration":"${EXPIRATION}","conditions":[["eq","$key","a"],{"__proto__":"x"}]}`), /__proto__/);
    refuses("AccessDenied", signedForm(policyOf(), { constructor: "x" }), /Extra input fields: constructor/);
  });

  it("has only fields that meet their conditions, whatever they are", () => {
    const word = fc.constantFrom("", "a", "ab", "abc", "b");
    fc.assert(
      fc.property(fc.constantFrom("eq", "starts-with"), word, fc.option(word, { nil: undefined }), (operator, wanted, given) => {
        const form = signedForm(policyOf([operator, "$x-amz-meta-a", wanted]), given === undefined ? {} : { "x-amz-meta-a": given });
        const right = given !== undefined && (operator === "eq" ? given === wanted : given.startsWith(wanted));
        if (right) verify(form);
        else refuses("AccessDenied", form, /Policy Condition failed/);
      }),
      { seed: 29, numRuns: 200 },
    );
  });
});
