import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isLambentError, ManualClock, systemSecureRandom } from "../../src/base/index.ts";
import { Aliases } from "../../src/functions/manage/aliases.ts";
import { Concurrency } from "../../src/functions/manage/concurrency.ts";
import { Policies } from "../../src/functions/manage/policies.ts";
import { Versions } from "../../src/functions/manage/versions.ts";
import { openRegistry, type Registry } from "../../src/functions/registry.ts";
import { removalsOf } from "../../src/functions/realm-state.ts";
import { LATEST } from "../../src/model/index.ts";
import { createCipher } from "../../src/security/index.ts";
import { MemoryDisk, openMemoryStore, type Store } from "../../src/storage/index.ts";
import { functionVersion } from "../support/function-version.ts";
import { REALM } from "../support/functions-world.ts";

/** A function as the model remembers it: plain maps, written without looking at how the registry does it. */
interface ModelFunction {
  description: string;
  readonly versions: Map<string, string>;
  readonly aliases: Map<string, string>;
  readonly statements: Set<string>;
  reserved: number | undefined;
}

interface Model {
  readonly functions: Map<string, ModelFunction>;
  readonly highest: Map<string, number>;
}

type Step =
  | { readonly kind: "create" | "remove" | "publish"; readonly name: string }
  | { readonly kind: "describe"; readonly name: string; readonly text: string }
  | { readonly kind: "alias"; readonly name: string; readonly alias: string; readonly version: string }
  | { readonly kind: "unalias"; readonly name: string; readonly alias: string }
  | { readonly kind: "permit" | "forbid"; readonly name: string; readonly sid: string }
  | { readonly kind: "reserve"; readonly name: string; readonly count: number | undefined }
  | { readonly kind: "restart" };

const name = fc.constantFrom("a", "b", "c");
const alias = fc.constantFrom("live", "next");
const version = fc.constantFrom(LATEST, "1", "2", "3");
const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom("create" as const, "remove" as const, "publish" as const), name }),
  fc.record({ kind: fc.constant("describe" as const), name, text: fc.constantFrom("x", "y") }),
  fc.record({ kind: fc.constant("alias" as const), name, alias, version }),
  fc.record({ kind: fc.constant("unalias" as const), name, alias }),
  fc.record({ kind: fc.constantFrom("permit" as const, "forbid" as const), name, sid: fc.constantFrom("s1", "s2") }),
  fc.record({ kind: fc.constant("reserve" as const), name, count: fc.option(fc.constantFrom(0, 400, 500, 900), { nil: undefined }) }),
  fc.record({ kind: fc.constant("restart" as const) }),
);

/** The model's answer: true when the step must be done, false when it must be refused. */
function modelDoes(model: Model, step: Exclude<Step, { kind: "restart" }>): boolean {
  const known = model.functions.get(step.name);
  if (step.kind === "create") {
    if (known) return false;
    model.functions.set(step.name, {
      description: "",
      versions: new Map(),
      aliases: new Map(),
      statements: new Set(),
      reserved: undefined,
    });
    return true;
  }
  if (!known) return false;
  switch (step.kind) {
    case "remove":
      return model.functions.delete(step.name);
    case "describe":
      known.description = step.text;
      return true;
    case "publish": {
      const newest = [...known.versions].at(-1);
      if (newest) return true;
      const number = (model.highest.get(step.name) ?? 0) + 1;
      model.highest.set(step.name, number);
      known.versions.set(String(number), known.description);
      return true;
    }
    case "alias":
      if (known.aliases.has(step.alias) || (step.version !== LATEST && !known.versions.has(step.version))) return false;
      known.aliases.set(step.alias, step.version);
      return true;
    case "unalias":
      known.aliases.delete(step.alias);
      return true;
    case "permit":
      if (known.statements.has(step.sid)) return false;
      known.statements.add(step.sid);
      return true;
    case "forbid":
      return known.statements.delete(step.sid);
    case "reserve": {
      const others = [...model.functions.values()].reduce((sum, each) => sum + (each === known ? 0 : (each.reserved ?? 0)), 0);
      if (others + (step.count ?? 0) > 900) return false;
      known.reserved = step.count;
      return true;
    }
  }
}

class Subject {
  readonly #disk = new MemoryDisk();
  readonly #cipher = createCipher(Buffer.alloc(32, 3), systemSecureRandom);
  #store: Store = openMemoryStore({ disk: this.#disk });
  registry!: Registry;

  async open(): Promise<void> {
    this.registry = await openRegistry({
      store: this.#store,
      cipher: this.#cipher,
      clock: new ManualClock(),
      secureRandom: systemSecureRandom,
    });
  }

  async restart(): Promise<void> {
    await this.#store.close();
    this.#store = openMemoryStore({ disk: this.#disk });
    await this.open();
  }

  async do(step: Exclude<Step, { kind: "restart" }>): Promise<unknown> {
    const { registry } = this;
    switch (step.kind) {
      case "create":
        return await this.#create(step.name);
      case "remove":
        return await registry.change(REALM, () => {
          const entry = registry.entry(REALM, step.name);
          return { writes: [{ kind: "function", name: step.name, value: undefined }, ...removalsOf(entry)], result: undefined };
        });
      case "describe":
        return await registry.change(REALM, () => {
          const { record } = registry.entry(REALM, step.name);
          const latest = { ...record.latest, version: { ...record.latest.version, description: step.text } };
          return { writes: [{ kind: "function", name: step.name, value: { ...record, latest } }], result: undefined };
        });
      case "publish":
        return await new Versions(registry).publish(REALM, step.name, {});
      case "alias":
        return await new Aliases(registry).create(REALM, step.name, step.alias, { version: step.version });
      case "unalias":
        return await new Aliases(registry).remove(REALM, step.name, step.alias);
      case "permit":
        return await new Policies(registry).add(
          REALM,
          step.name,
          undefined,
          { Sid: step.sid, Effect: "Allow", Principal: "*", Action: "*", Resource: "*" },
          undefined,
        );
      case "forbid":
        return await new Policies(registry).remove(REALM, step.name, undefined, step.sid, undefined);
      case "reserve":
        return await new Concurrency(registry).reserve(REALM, step.name, step.count);
    }
  }

  async #create(functionName: string): Promise<void> {
    await this.registry.change(REALM, (state) => {
      if (state.functions.has(functionName)) return refuseExisting(functionName);
      const latest = { version: functionVersion({ name: functionName }), state: { kind: "active" } } as const;
      const id = systemSecureRandom.uuid();
      const value = {
        id,
        createdAt: 0,
        latest,
        update: { kind: "successful" },
        tags: {},
        reservedConcurrency: undefined,
        recursion: "Terminate",
      } as const;
      return { writes: [{ kind: "function", name: functionName, value }], result: undefined };
    });
  }

  /** All of it, in the model's form. */
  seen(): unknown {
    const state = this.registry.state(REALM);
    return [...state.functions].toSorted(byName).map(([functionName, { record, parts }]) => ({
      name: functionName,
      description: record.latest.version.description,
      reserved: record.reservedConcurrency,
      versions: [...parts.version].toSorted(byName).map(([number, each]) => [number, each.version.description]),
      aliases: [...parts.alias].toSorted(byName).map(([each, { version: points }]) => [each, points]),
      statements: (parts.policy.get(LATEST)?.statements ?? []).map(({ Sid }) => Sid).toSorted(),
    }));
  }
}

function refuseExisting(functionName: string): never {
  assert.fail(`${functionName} exists`);
}

function byName(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}

function expected(model: Model): unknown {
  return [...model.functions].toSorted(byName).map(([functionName, known]) => ({
    name: functionName,
    description: known.description,
    reserved: known.reserved,
    versions: [...known.versions].toSorted(byName),
    aliases: [...known.aliases].toSorted(byName),
    statements: [...known.statements].toSorted(),
  }));
}

describe("the registry", () => {
  it("is what a map would be after any steps, refuses what a map would, and is the same after a restart", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(stepArbitrary, { maxLength: 40, size: "max" }), async (steps) => {
        const model: Model = { functions: new Map(), highest: new Map() };
        const subject = new Subject();
        await subject.open();
        for (const step of steps) {
          if (step.kind === "restart") await subject.restart();
          else {
            const should = modelDoes(model, step);
            const ended = await subject.do(step).then(
              () => true,
              (error: unknown) => {
                assert.ok(isLambentError(error) || error instanceof assert.AssertionError, String(error));
                return false;
              },
            );
            assert.equal(ended, should, JSON.stringify(step));
          }
          assert.deepEqual(subject.seen(), expected(model));
        }
        await subject.restart();
        assert.deepEqual(subject.seen(), expected(model));
      }),
      { seed: 20_260_106, numRuns: 150 },
    );
  });

  it("decides changes that come at once one after the other, each on what the one before left", async () => {
    const subject = new Subject();
    await subject.open();
    await subject.do({ kind: "create", name: "a" });
    await subject.do({ kind: "create", name: "b" });
    const ended = await Promise.allSettled(["a", "b"].map((each) => subject.do({ kind: "reserve", name: each, count: 500 })));
    assert.deepEqual(
      ended.map(({ status }) => status),
      ["fulfilled", "rejected"],
      "1,000 together would leave nothing to others",
    );
  });
});
