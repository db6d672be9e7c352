import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isLambentError, type ErrorCode } from "../../src/base/index.ts";
import { functionArn, parseFunctionReference, parseLayerReference } from "../../src/functions/index.ts";
import { routing } from "../../src/functions/rules/aliases.ts";
import { requireConcurrencyLeft, unreservedConcurrency, type ConcurrencyClaim } from "../../src/functions/rules/concurrency.ts";
import { checkEnvironment } from "../../src/functions/rules/environment.ts";
import {
  ACCOUNT_CONCURRENCY,
  ENVIRONMENT_BYTES_MAX,
  RESOURCE_POLICY_BYTES_MAX,
  TAGS_MAX,
  UNRESERVED_CONCURRENCY_MIN,
} from "../../src/functions/rules/limits.ts";
import { page } from "../../src/functions/rules/paging.ts";
import { withoutStatement, withStatement } from "../../src/functions/rules/policies.ts";
import { RUNTIME_IDS } from "../../src/functions/rules/runtimes.ts";
import { changedSettings, newSettings, requireFits, requireLayerList } from "../../src/functions/rules/settings.ts";
import { changedTags, settingsFromTags } from "../../src/functions/rules/tags.ts";

const REALM = { account: "123456789012", region: "eu-west-1" };
const refused =
  (code: ErrorCode, message: RegExp) =>
  (error: unknown): true => {
    assert.ok(isLambentError(error, code), String(error));
    assert.match(error.message, message);
    return true;
  };

describe("a function's name", () => {
  const forms: readonly (readonly [string, string, string | undefined])[] = [
    ["hello", "hello", undefined],
    ["hello:live", "hello", "live"],
    ["hello:$LATEST", "hello", "$LATEST"],
    ["123456789012:function:hello", "hello", undefined],
    ["123456789012:hello:3", "hello", "3"],
    ["eu-west-1:123456789012:function:hello", "hello", undefined],
    ["arn:aws:lambda:eu-west-1:123456789012:function:hello", "hello", undefined],
    ["arn:aws:lambda:eu-west-1:123456789012:function:hello:live", "hello", "live"],
  ];
  for (const [text, name, qualifier] of forms) {
    it(`is found in ${text}`, () => assert.deepEqual(parseFunctionReference(text, REALM), { name, qualifier }));
  }

  it("and its qualifier come back out of every ARN made of them", () => {
    const word = fc.stringMatching(/^[a-zA-Z0-9-_]{1,64}$/);
    fc.assert(
      fc.property(word, fc.option(word, { nil: undefined }), (name, qualifier) => {
        assert.deepEqual(parseFunctionReference(functionArn(REALM, name, qualifier), REALM), { name, qualifier });
      }),
      { seed: 20_260_103 },
    );
  });

  it("is refused when malformed, contradicting itself, or of another realm", () => {
    for (const text of ["", "a b", "hello:", "x".repeat(65), "arn:aws:sqs:eu-west-1:123456789012:hello", "../x", "hello:a:b"]) {
      assert.throws(() => parseFunctionReference(text, REALM), refused("InvalidParameter", /FunctionName is/), text);
    }
    assert.throws(() => parseFunctionReference("hello:1", REALM, "2"), refused("InvalidParameter", /derived qualifier/));
    assert.throws(
      () => parseFunctionReference("arn:aws:lambda:us-east-1:123456789012:function:hello", REALM),
      refused("NotFound", /not reachable in this region/),
    );
    assert.throws(() => parseFunctionReference("000000000000:function:hello", REALM), refused("NotFound", /account 123456789012/));
  });

  it("of a layer may carry its owner and version", () => {
    assert.deepEqual(parseLayerReference("arn:aws:lambda:eu-west-1:000000000000:layer:base:7", REALM), {
      name: "base",
      version: 7,
      realm: { account: "000000000000", region: "eu-west-1" },
    });
    assert.throws(
      () => parseLayerReference("arn:aws:lambda:us-east-1:000000000000:layer:base:7", REALM),
      refused("InvalidParameter", /region us-east-1/),
    );
  });
});

describe("settings", () => {
  const resolved = { layers: [], concurrencyPerInstance: 1, handlerStyle: "lambda" } as const;
  const minimal = { runtime: "python3.12", handler: "app.handler", roleArn: "arn:aws:iam::123456789012:role/x" };
  const base = newSettings("hello", minimal, resolved);
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ memoryMb: 127 }, /MemorySize is 127; it is a whole number of MB from 128 to 10240/],
    [{ memoryMb: 10_241 }, /MemorySize is 10241/],
    [{ memoryMb: 128.5 }, /MemorySize is 128.5/],
    [{ timeoutMs: 0 }, /Timeout is 0; it is a whole number of seconds from 1 to 900/],
    [{ timeoutMs: 901_000 }, /Timeout is 901/],
    [{ timeoutMs: 1_500 }, /Timeout is 1.5/],
    [{ tmpMb: 511 }, /EphemeralStorage.Size is 511/],
    [{ runtime: "java21" }, /Runtime is java21/],
    [
      { runtime: "nodejs99.x" },
      /Runtime is nodejs99\.x; Lambent runs nodejs10\.x to nodejs24\.x, python3\.6 to python3\.14, provided, provided\.al2 and provided\.al2023\.$/,
    ],
    [{ handler: "" }, /Handler is ""/],
    [{ handler: "a b" }, /Handler is "a b"/],
    [{ roleArn: "role" }, /Role is "role"/],
    [{ description: "x".repeat(257) }, /Description has 257/],
    [{ deadLetterArn: "queue" }, /DeadLetterConfig.TargetArn/],
    [{ logging: { group: "a b" } }, /LogGroup/],
  ];
  for (const [input, message] of cases) {
    it(`${JSON.stringify(input).slice(0, 40)} are refused`, () =>
      assert.throws(() => changedSettings(base, input, resolved), refused("InvalidParameter", message)));
  }

  it("left out keep their value, and an empty dead-letter ARN takes it away", () => {
    const arn = "arn:aws:sqs:eu-west-1:123456789012:dead";
    const changed = changedSettings(base, { memoryMb: 256, deadLetterArn: arn, logging: { format: "JSON" } }, resolved);
    assert.deepEqual(changed, { ...base, memoryMb: 256, deadLetterArn: arn, logging: { ...base.logging, format: "JSON" } });
    assert.equal(changedSettings(changed, { deadLetterArn: "" }, resolved).deadLetterArn, undefined);
  });

  it("take the runtimes AWS's own operations take, of the languages Lambent runs", () => {
    const schema = JSON.parse(readFileSync(new URL("../../src/wire/schemas/lambda.json", import.meta.url), "utf8")) as {
      readonly rules: { readonly Runtime: { readonly enum: readonly string[] } };
    };
    const ours = schema.rules.Runtime.enum.filter((id) => /^(nodejs\d+\.x|python3\.\d+|provided.*)$/.test(id) && id !== "nodejs8.10");
    assert.deepEqual([...RUNTIME_IDS].toSorted(), ours.toSorted());
  });

  it("need runtime and handler when new", () =>
    assert.throws(() => newSettings("x", { roleArn: minimal.roleArn }, resolved), refused("InvalidParameter", /mandatory/)));

  it("count layers and code together, and take five layers, each once", () => {
    const layer = (bytes: number) => ({ arn: "a", code: { sha256: "", zipBytes: 1, unpackedBytes: bytes } });
    requireFits(200_000_000, [layer(62_144_000)]);
    assert.throws(() => requireFits(200_000_000, [layer(62_144_001)]), refused("InvalidParameter", /262144001 bytes/));
    assert.throws(() => requireLayerList(["a:1", "b:1", "c:1", "d:1", "e:1", "f:1"]), refused("InvalidParameter", /at most 5/));
    assert.throws(() => requireLayerList(["a:1", "a:2"]), refused("InvalidParameter", /two versions of one layer/));
  });
});

describe("an environment", () => {
  it("of exactly 4 KB as JSON passes, one byte more does not", () => {
    const room = ENVIRONMENT_BYTES_MAX - Buffer.byteLength(JSON.stringify({ AB: "" }));
    checkEnvironment({ AB: "x".repeat(room) });
    assert.throws(() => checkEnvironment({ AB: "x".repeat(room + 1) }), refused("InvalidParameter", /4KB limit/));
  });

  it("has no reserved, malformed or unprintable parts, and no message repeats a value", () => {
    for (const variables of [{ AWS_REGION: "hush" }, { "1A": "hush" }, { A: "hush" }, { ["__proto__"]: "hush" }, { AB: "hush\0" }]) {
      assert.throws(
        () => checkEnvironment(variables),
        (error: unknown) => isLambentError(error, "InvalidParameter") && !error.message.includes("hush"),
      );
    }
  });
});

describe("concurrency", () => {
  it("reservations leave at least 100 of 1,000 to the others, whatever is reserved in whatever order", () => {
    const step = fc.record({
      name: fc.constantFrom("a", "b", "c", "d"),
      reserved: fc.option(fc.nat(1_100), { nil: undefined }),
      provisioned: fc.nat(400),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let claims: ConcurrencyClaim[] = [];
        for (const claim of steps) {
          const after = [...claims.filter((known) => known.name !== claim.name), claim];
          const taken = after.reduce((sum, each) => sum + (each.reserved ?? each.provisioned), 0);
          const allowed =
            ACCOUNT_CONCURRENCY - taken >= UNRESERVED_CONCURRENCY_MIN &&
            (claim.reserved === undefined || claim.provisioned <= claim.reserved);
          if (allowed) {
            requireConcurrencyLeft(claims, claim);
            claims = after;
          } else
            assert.throws(
              () => requireConcurrencyLeft(claims, claim),
              (error: unknown) => isLambentError(error, "InvalidParameter"),
            );
          assert.ok(unreservedConcurrency(claims) >= UNRESERVED_CONCURRENCY_MIN);
        }
      }),
      { seed: 20_260_104 },
    );
  });

  it("900 can be reserved, 901 not", () => {
    requireConcurrencyLeft([], { name: "a", reserved: 900, provisioned: 0 });
    assert.throws(
      () => requireConcurrencyLeft([], { name: "a", reserved: 901, provisioned: 0 }),
      refused("InvalidParameter", /below its minimum value of \[100\]: 99 of 1000/),
    );
  });
});

describe("an alias's shares", () => {
  it("are one published version beside its own, from 0 to 1; 0 is none", () => {
    assert.equal(routing("1", {}), undefined);
    assert.equal(routing("1", { "2": 0 }), undefined);
    assert.deepEqual(routing("1", { "2": 0.25 }), { version: "2", weight: 0.25 });
    for (const [primary, weights] of [
      ["1", { "2": 1.1 }],
      ["1", { "2": -0.1 }],
      ["1", { "2": Number.NaN }],
      ["1", { "1": 0.5 }],
      ["1", { $LATEST: 0.5 }],
      ["$LATEST", { "2": 0.5 }],
      ["1", { "2": 0.1, "3": 0.1 }],
    ] as const) {
      assert.throws(() => routing(primary, weights), refused("InvalidParameter", /./), JSON.stringify(weights));
    }
  });
});

describe("a page of a list", () => {
  it("and those after it show every item once, in order, also when items come and go in between", () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z0-9-_]{1,6}$/), { maxLength: 60 });
    fc.assert(
      fc.property(names, names, fc.integer({ min: 1, max: 7 }), (first, later, maxItems) => {
        const stable = first.filter((name) => later.includes(name));
        const seen: string[] = [];
        let [marker, items] = [undefined as string | undefined, first];
        do {
          const shown = page(items, (name) => name, { marker, maxItems });
          assert.ok(shown.items.length <= maxItems);
          seen.push(...shown.items);
          [marker, items] = [shown.nextMarker, later];
        } while (marker !== undefined);
        assert.deepEqual(seen, [...new Set(seen)].toSorted(), "in order, none twice");
        if (first.length > maxItems) for (const name of stable) assert.ok(seen.includes(name), `${name} was there all the time`);
      }),
      { seed: 20_260_105 },
    );
  });

  it("is at most 50 items, and starts only where a page ended", () => {
    const items = Array.from({ length: 70 }, (_, index) => `n${index}`);
    assert.equal(page(items, (name) => name, { maxItems: 10_000 }).items.length, 50);
    assert.throws(() => page(items, (name) => name, { marker: "bm9uc2Vuc2U" }), refused("InvalidParameter", /Marker/));
    assert.throws(() => page(items, (name) => name, { maxItems: 0 }), refused("InvalidParameter", /MaxItems/));
  });
});

describe("a resource policy", () => {
  const statement = (sid: string, principal = "*") =>
    ({ Sid: sid, Effect: "Allow", Principal: principal, Action: "lambda:InvokeFunction", Resource: "arn" }) as const;

  it("takes each statement id once, keeps the revision, and ends with its last statement", () => {
    const one = withStatement(undefined, statement("a"), undefined, "r1");
    assert.throws(() => withStatement(one, statement("a"), undefined, "r2"), refused("AlreadyExists", /\(a\) provided already exists/));
    assert.throws(() => withStatement(one, statement("b"), "other", "r2"), refused("RevisionMismatch", /RevisionId/));
    const two = withStatement(one, statement("b"), "r1", "r2");
    assert.throws(() => withoutStatement(two, "c", undefined, "r3"), refused("NotFound", /Statement c/));
    assert.deepEqual(withoutStatement(two, "a", "r2", "r3"), { statements: [statement("b")], revisionId: "r3" });
    assert.equal(withoutStatement(one, "a", undefined, "r3"), undefined);
  });

  it("of more than 20 KB is refused", () => {
    assert.throws(
      () => withStatement(undefined, statement("a", "x".repeat(RESOURCE_POLICY_BYTES_MAX)), undefined, "r"),
      refused("PolicyTooLong", /bigger than the limit \(20480\)/),
    );
  });
});

describe("tags", () => {
  it("are at most 50, without the reserved prefix, and may be called like members of objects", () => {
    const many = Object.fromEntries(Array.from({ length: TAGS_MAX }, (_, index) => [`k${index}`, ""]));
    assert.equal(Object.keys(changedTags(many, { k1: "again" }, [])).length, TAGS_MAX);
    assert.throws(() => changedTags(many, { one: "more" }, []), refused("InvalidParameter", /51 tags/));
    assert.throws(() => changedTags({}, { "AWS:x": "" }, []), refused("InvalidParameter", /reserved/));
    assert.throws(() => changedTags({}, { ["k".repeat(129)]: "" }, []), refused("InvalidParameter", /129 characters/));
    assert.deepEqual(Object.keys(changedTags({}, { ["__proto__"]: "x", constructor: "y" }, ["toString"])), ["__proto__", "constructor"]);
  });

  it("that are settings are checked, and mean the default when absent", () => {
    assert.deepEqual(settingsFromTags({}), { concurrencyPerInstance: 1, handlerStyle: "lambda" });
    assert.deepEqual(settingsFromTags({ "lambent:concurrency": "1000", "lambent:handler-style": "fetch" }), {
      concurrencyPerInstance: 1_000,
      handlerStyle: "fetch",
    });
    for (const value of ["0", "1001", "1.5", "ten", "", "01"])
      assert.throws(() => changedTags({}, { "lambent:concurrency": value }, []), refused("InvalidParameter", /1 to 1000/));
    assert.throws(() => changedTags({}, { "lambent:handler-style": "rest" }, []), refused("InvalidParameter", /one of lambda, web/));
  });
});
