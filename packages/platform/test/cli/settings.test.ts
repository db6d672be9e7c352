/** Values that people write into options, files and the environment. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseEnv } from "node:util";
import { CommandFailure } from "../../src/cli/errors.ts";
import { environmentOf, parseEnvironmentFile, wholeNumber } from "../../src/cli/settings.ts";
import { rootKeyOf } from "../../src/cli/start-settings.ts";

const read = (text: string): object => Object.fromEntries(parseEnvironmentFile(text, ".env"));
const usage = (pattern: RegExp) => (error: unknown) =>
  error instanceof CommandFailure && error.exit === "usage" && pattern.test(error.message);

void test("an environment file is read as dotenv reads it", () => {
  const texts = [
    "LEVEL=3 # three",
    'LEVEL="a # b" # comment',
    "LEVEL='a # b'#comment",
    "LEVEL = x",
    "  LEVEL\t=\t'  kept  '  ",
    "LEVEL=a#b",
    'LEVEL="two\\nlines"',
    "LEVEL='two\\nlines'",
    'LEVEL="one\ntwo"\nOTHER=`x`',
    'LEVEL="unfinished',
    "LEVEL=\nOTHER= # nothing",
    "export LEVEL=1\r\n\r\n# a comment\r\nOTHER=a b\r\n",
    "LEVEL=first\nLEVEL=second",
    "",
  ];
  for (const text of texts) assert.deepEqual(read(text), { ...parseEnv(text) }, JSON.stringify(text));
  assert.deepEqual(read("\ufeffLEVEL=1"), { LEVEL: "1" }, "an editor's mark is no part of the name");
});

void test("what is no entry of an environment file is named with its line", () => {
  for (const [text, line] of [
    ["LEVEL=1\n\nnonsense\n", 3],
    ["=x", 1],
    ["# c\n1ST=x", 2],
    ['A_A="1\n2"\nB=x', 3],
  ] as const)
    assert.throws(() => read(text), usage(new RegExp(`^\\.env:${line} has `, "u")));
});

void test("the value of --env is taken as it is", () => {
  assert.deepEqual(environmentOf({ env: ["LEVEL='3' # no comment", "URL=a=b"] }), { LEVEL: "'3' # no comment", URL: "a=b" });
  assert.throws(() => environmentOf({ env: ["LEVEL"] }), usage(/^--env has "LEVEL"/u));
});

void test("a value of the environment is complained of by its variable", () => {
  assert.throws(
    () => wholeNumber("", "LAMBENT_POOL", 0, 64),
    (error) => usage(/^LAMBENT_POOL is "";/u)(error) && error instanceof CommandFailure && error.next === "For example LAMBENT_POOL=0",
  );
});

void test("half a root key is refused", () => {
  assert.equal(rootKeyOf({}), undefined);
  assert.deepEqual(rootKeyOf({ LAMBENT_ROOT_ACCESS_KEY_ID: "a", LAMBENT_ROOT_SECRET_ACCESS_KEY: "b" }), {
    accessKeyId: "a",
    secretAccessKey: "b",
  });
  assert.throws(
    () => rootKeyOf({ LAMBENT_ROOT_ACCESS_KEY_ID: "a" }),
    usage(/LAMBENT_ROOT_ACCESS_KEY_ID is set and LAMBENT_ROOT_SECRET_ACCESS_KEY is not/u),
  );
  assert.throws(
    () => rootKeyOf({ LAMBENT_ROOT_ACCESS_KEY_ID: "", LAMBENT_ROOT_SECRET_ACCESS_KEY: "b" }),
    usage(/LAMBENT_ROOT_SECRET_ACCESS_KEY is set and LAMBENT_ROOT_ACCESS_KEY_ID is not/u),
  );
});
