import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { evaluate, parsePolicy, type AccessRequest, type Decision, type PolicyKind, type PolicySet } from "../../src/security/index.ts";

const ACCOUNT = "111122223333";
const ROLE = `arn:aws:iam::${ACCOUNT}:role/worker`;
const SESSION = `arn:aws:sts::${ACCOUNT}:assumed-role/worker/one`;

const request = (changed: Partial<AccessRequest> = {}): AccessRequest => ({
  principalArns: [SESSION, ROLE],
  account: ACCOUNT,
  service: undefined,
  resourceMustAllow: false,
  resourceAccount: ACCOUNT,
  action: "sqs:SendMessage",
  resource: `arn:aws:sqs:us-east-1:${ACCOUNT}:orders`,
  context: {},
  ...changed,
});

const document = (kind: PolicyKind, statements: readonly object[], version = "2012-10-17") =>
  parsePolicy(JSON.stringify({ Version: version, Statement: statements }), kind);
const named = (kind: PolicyKind, ...statements: readonly object[]) => [{ name: kind, document: document(kind, statements) }];
const set = (changed: Partial<PolicySet> = {}): PolicySet => ({
  identity: [],
  resource: [],
  session: undefined,
  boundary: undefined,
  ...changed,
});

const allow = (more: object = {}) => ({ Effect: "Allow", Action: "sqs:SendMessage", Resource: "*", ...more });
const deny = (more: object = {}) => ({ ...allow(more), Effect: "Deny" });
const kindOf = (decision: Decision): string => (decision.kind === "allowed" ? `allowed through ${decision.through}` : decision.why);

describe("a decision", () => {
  it("is no without any policy, and names the sort that was missing", () => {
    assert.equal(kindOf(evaluate(request(), set())), "noIdentityPolicy");
    assert.equal(kindOf(evaluate(request({ account: undefined, principalArns: [] }), set())), "noResourcePolicy");
  });

  it("names policy and statement it rests on", () => {
    const policies = set({ identity: named("identity", { ...allow(), Sid: "Other", Action: "s3:*" }, { ...allow(), Sid: "Sending" }) });
    assert.deepEqual(evaluate(request(), policies), {
      kind: "allowed",
      through: "identity",
      by: { policy: "identity", statement: "Sending" },
    });
    const denied = set({ identity: named("identity", allow(), deny()) });
    assert.deepEqual(evaluate(request(), denied), { kind: "denied", why: "explicitDeny", by: { policy: "identity", statement: "#2" } });
  });

  it("is no by an explicit deny anywhere, also for a caller that may do everything", () => {
    const denying = { ...deny(), Principal: "*" };
    assert.equal(kindOf(evaluate(request(), set({ identity: "all", resource: named("resource", denying) }))), "explicitDeny");
    assert.equal(kindOf(evaluate(request(), set({ identity: "all", session: named("identity", allow(), deny()) }))), "explicitDeny");
  });

  const cases: readonly (readonly [string, Partial<AccessRequest>, Partial<PolicySet>, string])[] = [
    [
      "in the own account either side is enough: the role named by the resource",
      {},
      { resource: named("resource", { ...allow(), Principal: { AWS: ROLE } }) },
      "allowed through resource",
    ],
    [
      "an account named by the resource only delegates",
      {},
      { resource: named("resource", { ...allow(), Principal: { AWS: ACCOUNT } }) },
      "noIdentityPolicy",
    ],
    [
      "across accounts both sides are needed: identity alone",
      { resourceAccount: "999988887777" },
      { identity: named("identity", allow()) },
      "noResourcePolicy",
    ],
    [
      "across accounts both sides are needed: resource alone",
      { resourceAccount: "999988887777" },
      { resource: named("resource", { ...allow(), Principal: { AWS: ROLE } }) },
      "noIdentityPolicy",
    ],
    [
      "across accounts both together",
      { resourceAccount: "999988887777" },
      {
        identity: named("identity", allow()),
        resource: named("resource", { ...allow(), Principal: { AWS: `arn:aws:iam::${ACCOUNT}:root` } }),
      },
      "allowed through identity",
    ],
    ["a session policy narrows", {}, { identity: "all", session: named("identity", allow({ Action: "s3:*" })) }, "sessionPolicy"],
    [
      "a session policy narrows what the resource gives the role",
      {},
      { resource: named("resource", { ...allow(), Principal: { AWS: ROLE } }), session: named("identity", allow({ Action: "s3:*" })) },
      "sessionPolicy",
    ],
    [
      "but not what the resource gives the session itself",
      {},
      { resource: named("resource", { ...allow(), Principal: { AWS: SESSION } }), session: named("identity", allow({ Action: "s3:*" })) },
      "allowed through resource",
    ],
    [
      "a boundary narrows the identity",
      {},
      { identity: named("identity", allow()), boundary: { name: "b", document: document("identity", [allow({ Action: "s3:*" })]) } },
      "boundary",
    ],
    [
      "a service is allowed by the resource",
      { account: undefined, principalArns: [], service: "events.amazonaws.com" },
      { resource: named("resource", { ...allow(), Principal: { Service: "events.amazonaws.com" } }) },
      "allowed through resource",
    ],
    [
      "another service is not",
      { account: undefined, principalArns: [], service: "s3.amazonaws.com" },
      { resource: named("resource", { ...allow(), Principal: { Service: "events.amazonaws.com" } }) },
      "noResourcePolicy",
    ],
    [
      "nobody is everybody",
      { account: undefined, principalArns: [] },
      { resource: named("resource", { ...allow(), Principal: "*" }) },
      "allowed through resource",
    ],
    [
      "NotPrincipal denies everybody else",
      {},
      { identity: "all", resource: named("resource", { ...deny(), NotPrincipal: { AWS: `arn:aws:iam::${ACCOUNT}:role/other` } }) },
      "explicitDeny",
    ],
    [
      "NotPrincipal spares those it names",
      {},
      { identity: "all", resource: named("resource", { ...deny(), NotPrincipal: { AWS: ROLE } }) },
      "allowed through identity",
    ],
    [
      "a trust policy has to agree, whatever the identity may",
      { resourceMustAllow: true },
      { identity: "all", resource: named("resource", { ...allow(), Principal: { Service: "x.amazonaws.com" } }) },
      "noResourcePolicy",
    ],
  ];
  for (const [what, changed, policies, expected] of cases) {
    it(what, () => assert.equal(kindOf(evaluate(request(changed), set(policies))), expected));
  }
});

describe("matching", () => {
  const decides = (statement: object, changed: Partial<AccessRequest> = {}, version?: string): boolean =>
    evaluate(request(changed), set({ identity: [{ name: "p", document: document("identity", [statement], version) }] })).kind === "allowed";

  it("of actions knows no case, of resources does", () => {
    assert.equal(decides(allow({ Action: "SQS:sendmessage" })), true);
    assert.equal(decides(allow({ Resource: `arn:aws:sqs:us-east-1:${ACCOUNT}:Orders` })), false);
  });

  it("puts policy variables in as plain text, from version 2012-10-17 on", () => {
    const statement = allow({ Resource: "arn:aws:sqs:*:*:${aws:PrincipalTag/team}" });
    assert.equal(decides(statement, { context: { "aws:PrincipalTag/team": "orders" } }), true);
    assert.equal(decides(statement, { context: { "aws:PrincipalTag/team": "*" } }), false);
    assert.equal(decides(statement), false);
    assert.equal(decides(statement, { context: { "aws:PrincipalTag/team": "orders" } }, "2008-10-17"), false);
    assert.equal(decides(allow({ Resource: "arn:aws:sqs:*:*:${aws:PrincipalTag/team, 'orders'}" })), true);
  });

  it("of a pattern with many stars stays quick", () => {
    const resource = `${"a*".repeat(500)}b`;
    assert.equal(decides(allow({ Resource: resource }), { resource: "a".repeat(2_000) }), false);
  });

  const conditions: readonly (readonly [object, AccessRequest["context"], boolean])[] = [
    [{ StringEquals: { "aws:SourceAccount": ["1", "2"] } }, { "AWS:sourceaccount": "2" }, true],
    [{ StringEquals: { "aws:SourceAccount": "1" } }, {}, false],
    [{ StringEqualsIfExists: { "aws:SourceAccount": "1" } }, {}, true],
    [{ StringNotEquals: { "aws:SourceAccount": ["1", "2"] } }, { "aws:SourceAccount": "2" }, false],
    [{ StringNotEquals: { "aws:SourceAccount": "1" } }, {}, true],
    [{ StringEqualsIgnoreCase: { "a:b": "ABC" } }, { "a:b": "abc" }, true],
    [{ StringLike: { "a:b": "x*z?" } }, { "a:b": "xyyzq" }, true],
    [{ StringNotLike: { "a:b": "x*" } }, { "a:b": "xyyzq" }, false],
    [{ NumericLessThanEquals: { "a:b": 10 } }, { "a:b": "10" }, true],
    [{ NumericGreaterThan: { "a:b": "9" } }, { "a:b": "10" }, true],
    [{ NumericEquals: { "a:b": "x" } }, { "a:b": "x" }, false],
    [{ NumericNotEquals: { "a:b": "1" } }, { "a:b": "2" }, true],
    [{ DateLessThan: { "aws:CurrentTime": "2026-01-01T00:00:00Z" } }, { "aws:CurrentTime": "2025-12-31T23:59:59.000Z" }, true],
    [{ DateGreaterThan: { "aws:CurrentTime": "1767225600" } }, { "aws:CurrentTime": "2026-01-01T00:00:01Z" }, true],
    [{ DateEquals: { "aws:CurrentTime": "2026-01-01T00:00:00" } }, { "aws:CurrentTime": "2026-01-01T00:00:00.000Z" }, true],
    [{ Bool: { "aws:SecureTransport": true } }, { "aws:SecureTransport": "true" }, true],
    [{ Bool: { "aws:SecureTransport": "true" } }, { "aws:SecureTransport": "false" }, false],
    [{ IpAddress: { "aws:SourceIp": ["10.0.0.0/8", "::1/128"] } }, { "aws:SourceIp": "10.2.3.4" }, true],
    [{ IpAddress: { "aws:SourceIp": "10.0.0.1" } }, { "aws:SourceIp": "10.0.0.2" }, false],
    [{ NotIpAddress: { "aws:SourceIp": "10.0.0.0/8" } }, { "aws:SourceIp": "11.0.0.1" }, true],
    [{ ArnLike: { "aws:SourceArn": "arn:aws:s3:::*" } }, { "aws:SourceArn": "arn:aws:s3:::bucket" }, true],
    [{ ArnLike: { "aws:SourceArn": "arn:aws:sns:*:queue" } }, { "aws:SourceArn": "arn:aws:sns:us-east-1:1:queue" }, false],
    [{ ArnNotEquals: { "aws:SourceArn": "arn:aws:s3:::bucket" } }, { "aws:SourceArn": "arn:aws:s3:::bucket" }, false],
    [{ Null: { "a:b": "true" } }, {}, true],
    [{ Null: { "a:b": "false" } }, {}, false],
    [{ "ForAllValues:StringEquals": { "aws:TagKeys": ["a", "b"] } }, { "aws:TagKeys": ["a", "b"] }, true],
    [{ "ForAllValues:StringEquals": { "aws:TagKeys": ["a", "b"] } }, { "aws:TagKeys": ["a", "c"] }, false],
    [{ "ForAllValues:StringEquals": { "aws:TagKeys": ["a"] } }, {}, true],
    [{ "ForAnyValue:StringEquals": { "aws:TagKeys": ["a", "b"] } }, { "aws:TagKeys": ["c", "b"] }, true],
    [{ "ForAnyValue:StringEquals": { "aws:TagKeys": ["a"] } }, {}, false],
    [{ StringEquals: { "a:b": "1" }, NumericLessThan: { "c:d": "5" } }, { "a:b": "1", "c:d": "6" }, false],
  ];
  for (const [condition, context, expected] of conditions) {
    it(`${JSON.stringify(condition)} ${expected ? "holds" : "does not hold"} for ${JSON.stringify(context)}`, () => {
      assert.equal(decides(allow({ Condition: condition }), { context }), expected);
    });
  }
});

describe("a policy document", () => {
  const malformed: readonly (readonly [string, PolicyKind, unknown, RegExp])[] = [
    ["is JSON", "identity", "{", /not JSON/],
    ["is an object", "identity", [], /JSON object/],
    ["has statements", "identity", {}, /no Statement/],
    ["has a known version", "identity", { Version: "2020-01-01", Statement: [] }, /Version/],
    ["has no unknown member", "identity", { Statement: [{ ...allow(), Actions: "x" }] }, /Actions/],
    ["has an effect", "identity", { Statement: [{ ...allow(), Effect: "allow" }] }, /Effect/],
    ["names actions of a service", "identity", { Statement: [allow({ Action: "SendMessage" })] }, /<service>:<action>/],
    ["has Action or NotAction, not both", "identity", { Statement: [allow({ NotAction: "s3:*" })] }, /exclude/],
    ["of an identity names no principal", "identity", { Statement: [{ ...allow(), Principal: "*" }] }, /no Principal/],
    ["of a resource names a principal", "resource", { Statement: [allow()] }, /no Principal/],
    ["of a role's trust names no resource", "trust", { Statement: [{ ...allow(), Principal: "*" }] }, /no Resource/],
    [
      "names whole principals",
      "resource",
      { Statement: [{ ...allow(), Principal: { AWS: `arn:aws:iam::${ACCOUNT}:role/*` } }] },
      /full ARN/,
    ],
    [
      "has known operators",
      "identity",
      { Statement: [allow({ Condition: { StringMatches: { "a:b": "c" } } })] },
      /not a condition operator/,
    ],
    [
      "has no operator of another object's",
      "identity",
      { Statement: [allow({ Condition: { constructor: { "a:b": "c" } } })] },
      /not a condition operator/,
    ],
    [
      "names each statement once",
      "identity",
      {
        Statement: [
          { ...allow(), Sid: "A" },
          { ...allow(), Sid: "A" },
        ],
      },
      /twice/,
    ],
    ["is not too long", "identity", { Statement: [allow({ Resource: "x".repeat(20_480) })] }, /20480|bytes/],
  ];
  for (const [what, kind, value, message] of malformed) {
    it(what, () => {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      assert.throws(() => parsePolicy(text, kind), { code: "MalformedPolicy", message });
    });
  }

  it("of any bytes parses or is MalformedPolicy", () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.constantFrom<PolicyKind>("identity", "resource", "trust"), (text, kind) => {
        const wrapped = [
          text,
          `{"Statement":${text}}`,
          `{"Statement":[{"Effect":"Allow","Action":${text},"Resource":"*","Condition":${text}}]}`,
        ];
        for (const one of wrapped) {
          try {
            parsePolicy(one, kind);
          } catch (error) {
            assert.equal((error as { code?: string }).code, "MalformedPolicy");
          }
        }
      }),
      { seed: 3, numRuns: 500 },
    );
  });
});

describe("evaluation against the definition", () => {
  // The oracle: wildcards as regular expressions (the drawn letters need no escape), every statement looked at, no short cuts.
  const glob = (pattern: string): RegExp =>
    new RegExp(`^${[...pattern].map((c) => (c === "*" ? ".*" : c === "?" ? "." : c)).join("")}$`, "s");
  interface Drawn {
    readonly effect: "Allow" | "Deny";
    readonly actions: readonly string[];
    readonly notAction: boolean;
    readonly resources: readonly string[];
    readonly notResource: boolean;
    readonly tag: string | undefined;
  }
  const holds = (drawn: Drawn, action: string, resource: string, tag: string | undefined): boolean =>
    drawn.actions.some((pattern) => glob(`s:${pattern}`).test(action)) !== drawn.notAction &&
    drawn.resources.some((pattern) => glob(pattern).test(resource)) !== drawn.notResource &&
    (drawn.tag === undefined || drawn.tag === tag);
  const expected = (layers: readonly (readonly Drawn[])[], action: string, resource: string, tag: string | undefined): boolean => {
    const matching = layers.map((layer) => layer.filter((drawn) => holds(drawn, action, resource, tag)));
    return matching.flat().every((drawn) => drawn.effect === "Allow") && matching.every((layer) => layer.length > 0);
  };
  const write = (drawn: Drawn): object => ({
    Effect: drawn.effect,
    [drawn.notAction ? "NotAction" : "Action"]: drawn.actions.map((pattern) => `s:${pattern}`),
    [drawn.notResource ? "NotResource" : "Resource"]: drawn.resources,
    ...(drawn.tag === undefined ? {} : { Condition: { StringEquals: { "s:Tag": drawn.tag } } }),
  });

  const word = (alphabet: readonly string[], maxLength: number) =>
    fc.array(fc.constantFrom(...alphabet), { minLength: 1, maxLength }).map((letters) => letters.join(""));
  const drawn: fc.Arbitrary<Drawn> = fc.record({
    effect: fc.constantFrom("Allow", "Allow", "Allow", "Deny"),
    actions: fc.array(word(["a", "b", "*", "?"], 4), { minLength: 1, maxLength: 3 }),
    notAction: fc.boolean(),
    resources: fc.array(word(["x", "y", ":", "*", "?"], 5), { minLength: 1, maxLength: 3 }),
    notResource: fc.boolean(),
    tag: fc.option(fc.constantFrom("t", "u"), { nil: undefined }),
  });
  const layer = fc.array(drawn, { minLength: 1, maxLength: 4 });

  it("agrees on every drawn case of identity, session and boundary", () => {
    const seen = new Set<boolean>();
    fc.assert(
      fc.property(
        layer,
        fc.option(layer, { nil: undefined }),
        fc.option(layer, { nil: undefined }),
        word(["a", "b"], 4),
        word(["x", "y", ":"], 5),
        fc.option(fc.constantFrom("t", "u"), { nil: undefined }),
        (identity, session, boundary, name, resource, tag) => {
          const policy = (statements: readonly Drawn[]) => ({ name: "p", document: document("identity", statements.map(write)) });
          const decision = evaluate(
            request({ action: `s:${name}`, resource, context: tag === undefined ? {} : { "s:Tag": tag } }),
            set({ identity: [policy(identity)], session: session && [policy(session)], boundary: boundary && policy(boundary) }),
          );
          const layers = [identity, ...(session ? [session] : []), ...(boundary ? [boundary] : [])];
          const right = expected(layers, `s:${name}`, resource, tag);
          seen.add(right);
          assert.equal(decision.kind === "allowed", right);
        },
      ),
      { seed: 5, numRuns: 2_000 },
    );
    assert.equal(seen.size, 2, "both answers were drawn");
  });
});
