import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { plan, type Change, type CurrentFunction, type UrlForm, type WantedFunction } from "../../src/apps/index.ts";

const ROLE = "arn:aws:iam::000000000000:role/lambent-function";
const PLAIN = { noNullPrototype: true };
const names = ["a", "b", "c", "d"];

const url: fc.Arbitrary<UrlForm> = fc.oneof(
  fc.constant<UrlForm>({ kind: "none" }),
  fc.record(
    {
      kind: fc.constant("url" as const),
      auth: fc.constantFrom("NONE" as const, "AWS_IAM" as const),
      invokeMode: fc.constantFrom("BUFFERED" as const, "RESPONSE_STREAM" as const),
    },
    PLAIN,
  ),
);
const options = {
  description: fc.constantFrom("", "one", "two"),
  memoryMb: fc.constantFrom(128, 256, 512),
  timeoutMs: fc.constantFrom(3_000, 10_000),
  tmpMb: fc.constantFrom(512, 1_024),
  environment: fc.dictionary(fc.constantFrom("A", "B", "toString", "constructor"), fc.constantFrom("1", "2"), PLAIN),
  concurrencyPerInstance: fc.constantFrom(1, 8),
  handlerStyle: fc.constantFrom("lambda" as const, "web" as const),
  flow: fc.dictionary(fc.constantFrom("rate" as const, "priority" as const), fc.constantFrom("1/s", "2/s"), PLAIN),
  roleArn: fc.constantFrom(ROLE, `${ROLE}-2`),
};
const core = {
  runtime: fc.constantFrom("nodejs22.x", "python3.12"),
  handler: fc.constantFrom("a.handler", "b.handler"),
  codeSha256: fc.constantFrom("x", "y", "z"),
};
const currentOf = (name: string): fc.Arbitrary<CurrentFunction> =>
  fc.record({ name: fc.constant(name), ...core, options: fc.record(options, PLAIN), url }, PLAIN);
const wantedOf = (name: string): fc.Arbitrary<WantedFunction> =>
  fc.record(
    {
      name: fc.constant(name),
      ...core,
      options: fc.record(options, { ...PLAIN, requiredKeys: [] }),
      url: fc.option(url, { nil: undefined }),
    },
    PLAIN,
  );
const some = <T>(make: (name: string) => fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.subarray(names).chain((chosen) => fc.tuple(...chosen.map(make)));

/** What carrying out a plan means, as plainly as it can be said. */
function carryOut(
  current: ReadonlyMap<string, CurrentFunction>,
  changes: readonly Change[],
  wanted: readonly WantedFunction[],
): Map<string, CurrentFunction> {
  const after = new Map(current);
  for (const change of changes) {
    const before = after.get(change.name);
    if (change.kind === "createFunction") {
      assert.equal(before, undefined, "a function that exists is not created again");
      after.set(change.name, change.wanted);
      continue;
    }
    assert.ok(before, `${change.kind} concerns a function that is there`);
    if (change.kind === "removeFunction") after.delete(change.name);
    else if (change.kind === "updateCode") after.set(change.name, { ...before, codeSha256: change.codeSha256 });
    else if (change.kind === "setUrl") after.set(change.name, { ...before, url: change.url });
    else if (change.kind === "removeUrl") after.set(change.name, { ...before, url: { kind: "none" } });
    else {
      const { runtime, handler, options: rest } = change.settings;
      after.set(change.name, {
        ...before,
        runtime: runtime ?? before.runtime,
        handler: handler ?? before.handler,
        options: { ...before.options, ...rest },
      });
    }
  }
  assert.ok(wanted.every((each) => after.has(each.name)));
  return after;
}

const situation = fc.record({ current: some(currentOf), wanted: some(wantedOf), owned: fc.subarray(names) });

test("carrying out a plan gives what was wanted, touches nothing else, and a second plan is empty", () => {
  fc.assert(
    fc.property(situation, ({ current, wanted, owned }) => {
      const before = new Map(current.map((each) => [each.name, each]));
      const changes = plan(before, wanted, new Set(owned), ROLE);
      const after = carryOut(before, changes, wanted);
      for (const each of wanted) {
        const found = after.get(each.name);
        assert.ok(found);
        assert.equal(found.runtime, each.runtime);
        assert.equal(found.handler, each.handler);
        assert.equal(found.codeSha256, each.codeSha256);
        assert.deepEqual({ ...found.options, ...each.options }, found.options);
        if (each.url) assert.deepEqual(found.url, each.url);
        const was = before.get(each.name);
        if (was) assert.deepEqual(found.options, { ...was.options, ...each.options });
        if (was && !each.url) assert.deepEqual(found.url, was.url);
      }
      const wantedNames = new Set(wanted.map((each) => each.name));
      for (const [name, was] of before) {
        if (wantedNames.has(name)) continue;
        assert.equal(after.get(name), owned.includes(name) ? undefined : was);
      }
      assert.deepEqual(plan(after, wanted, new Set(owned), ROLE), []);
    }),
    { seed: 20_260, numRuns: 2_000 },
  );
});

test("a plan never shows the value of an environment entry", () => {
  const current: CurrentFunction = {
    name: "a",
    runtime: "nodejs22.x",
    handler: "a.handler",
    codeSha256: "x",
    url: { kind: "none" },
    options: {
      description: "",
      memoryMb: 128,
      timeoutMs: 3_000,
      tmpMb: 512,
      environment: { KEY: "old-secret" },
      concurrencyPerInstance: 1,
      handlerStyle: "lambda",
      flow: {},
      roleArn: ROLE,
    },
  };
  const wanted: WantedFunction = { ...current, options: { environment: { KEY: "new-secret", MORE: "secret" } }, url: undefined };
  const changes = plan(new Map([["a", current]]), [wanted], new Set(), ROLE);
  assert.equal(changes.length, 1);
  const [change] = changes;
  assert.ok(change?.kind === "updateSettings");
  assert.deepEqual(change.fields, [
    { field: "environment.KEY", from: "set", to: "another value" },
    { field: "environment.MORE", from: "absent", to: "set" },
  ]);
});
