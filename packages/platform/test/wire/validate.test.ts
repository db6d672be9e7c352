import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { isLambentError, systemClock } from "../../src/base/index.ts";
import { AWS_SERVICES, decode, loadService } from "../../src/wire/index.ts";
import type { ServiceData } from "../../src/wire/service-data.ts";
import { LINEAR_FORMS, wholePattern } from "../../src/wire/whole-pattern.ts";
import { formRequest, wireRequest } from "../support/wire-request.ts";

const lambda = loadService("lambda");
const configuration = (body: object) => wireRequest("PUT", "/2015-03-31/functions/hello/configuration", {}, JSON.stringify(body));

function messageOf(request: ReturnType<typeof wireRequest>, service = lambda): string {
  let message = "";
  assert.throws(
    () => decode(request, service),
    (error) => {
      if (isLambentError(error)) message = error.message;
      return isLambentError(error, "InvalidParameter");
    },
  );
  return message;
}

describe("a rule of the schema", () => {
  for (const [what, body, expected] of [
    [
      "least value",
      { MemorySize: 64 },
      "1 validation error detected: Value '64' at 'memorySize' failed to satisfy constraint: Member must have value greater than or equal to 128",
    ],
    ["most value", { MemorySize: 99_999_999 }, /'99999999' at 'memorySize' .*less than or equal to \d+/],
    ["whole number", { Timeout: 1.5 }, /'1\.5' at 'timeout' .*whole number/],
    ["special numbers", { Timeout: "NaN" }, /at 'timeout'/],
    [
      "length",
      { Description: "d".repeat(257) },
      /^1 validation error detected: Value 'd{256}…' at 'description' .*length less than or equal to 256$/,
    ],
    ["enum", { Runtime: "cobol" }, /Value 'cobol' at 'runtime' .*enum value set: \[.*python3\.12.*\]/],
    ["pattern", { Handler: "a b" }, /Value 'a b' at 'handler' .*regular expression pattern: /],
    ["entries of a list", { Layers: ["arn:aws:lambda:us-east-1:123456789012:layer:a:1", "x"] }, /Value 'x' at 'layers\.2\.member'/],
    [
      "structures in a list",
      { FileSystemConfigs: [{ Arn: "x", LocalMountPath: "/mnt/a" }] },
      /Value 'x' at 'fileSystemConfigs\.1\.member\.arn'/,
    ],
    [
      "required members inside",
      { FileSystemConfigs: [{ LocalMountPath: "/mnt/a" }] },
      /Value null at 'fileSystemConfigs\.1\.member\.arn' .*must not be null/,
    ],
  ] as const) {
    test(`on ${what} is told with member, value and rule`, () => {
      const message = messageOf(configuration(body));
      if (typeof expected === "string") assert.equal(message, expected);
      else assert.match(message, expected);
    });
  }

  test("that is one of several broken ones is told with the others, up to ten", () => {
    assert.match(messageOf(configuration({ MemorySize: 1, Timeout: 0 })), /^2 validation errors detected: .*'timeout'.*; .*'memorySize'/);
    const layers = Array.from({ length: 50 }, () => "x");
    assert.match(messageOf(configuration({ Layers: layers })), /^10 validation errors detected/);
  });

  test("about a sensitive value never repeats it", () => {
    const message = messageOf(configuration({ Environment: { Variables: { "1secret-name": "secret-value" } } }));
    assert.match(message, /at 'environment\.variables/);
    assert.doesNotMatch(message, /secret-/);
  });

  test("counts characters, not UTF-16 units", () => {
    assert.equal(decode(configuration({ Description: "😀".repeat(256) }), lambda).operation, "UpdateFunctionConfiguration");
    messageOf(configuration({ Description: "😀".repeat(257) }));
  });

  test("holds for every protocol", () => {
    assert.match(
      messageOf(formRequest("Action=AssumeRole&RoleSessionName=x&RoleArn=arn:aws:iam::123456789012:role/r"), loadService("sts")),
      /at 'roleSessionName' .*length greater than or equal to 2/,
    );
  });
});

test("no pattern of any service takes long on text made to make it backtrack", () => {
  const fragments = ["a", "A", "0", "-", "_", ".", "/", ":", " ", "a.", "a-", "arn:aws:", "a|", "*", "\t", "\n"];
  const starts = ["", "arn:aws:lambda:us-east-1:123456789012:function:", "http://", "s3://a"];
  for (const service of AWS_SERVICES) {
    const data = JSON.parse(readFileSync(new URL(`../../src/wire/schemas/${service}.json`, import.meta.url), "utf8")) as ServiceData;
    for (const [name, rule] of Object.entries(data.rules)) {
      if (rule.pattern === undefined) continue;
      const regex = wholePattern(rule.pattern);
      const length = Math.min(rule.max ?? 10_000, 200_000);
      for (const text of starts.flatMap((start) =>
        fragments.map((fragment) => `${start}${fragment.repeat(length)}`.slice(0, length - 1)),
      )) {
        const begun = systemClock.monotonicMs();
        regex.test(`${text}\u0000`);
        assert.ok(systemClock.monotonicMs() - begun < 500, `${service} ${name} on ${JSON.stringify(text.slice(0, 80))}`);
      }
    }
  }
});

test("a pattern that takes the place of one that backtracks accepts the same texts", () => {
  const alphabet = [" ", "\t", "a", "~", ":", "\n", "ä"];
  const patterns = AWS_SERVICES.flatMap((service) => {
    const data = JSON.parse(readFileSync(new URL(`../../src/wire/schemas/${service}.json`, import.meta.url), "utf8")) as ServiceData;
    return Object.values(data.rules).map(({ pattern }) => pattern);
  });
  for (const source of LINEAR_FORMS.keys()) {
    assert.ok(patterns.includes(source), `${source} is in a model`);
    const [modelled, linear] = [new RegExp(source), wholePattern(source)];
    // Every text of up to five of these characters.
    for (let texts = [""]; (texts[0]?.length ?? 0) <= 5; texts = texts.flatMap((text) => alphabet.map((next) => text + next)))
      for (const text of texts) assert.equal(linear.test(text), modelled.test(text), `${source} on ${JSON.stringify(text)}`);
  }
});
