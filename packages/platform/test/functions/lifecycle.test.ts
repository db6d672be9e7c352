import assert from "node:assert/strict";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { describe, it } from "node:test";
import { isLambentError, type ErrorCode } from "../../src/base/index.ts";
import { LATEST, versionKey } from "../../src/model/index.ts";
import { FunctionsWorld, minimal, REALM } from "../support/functions-world.ts";
import { zipOf } from "../support/zips.ts";

const failsWith =
  (code: ErrorCode, message = /./) =>
  (error: unknown): true => {
    assert.ok(isLambentError(error, code), `${code} expected, got ${String(error)}`);
    assert.match(error.message, message);
    return true;
  };
const codeOf = (text: string): Promise<Buffer> => zipOf({ "index.mjs": text });
const latestOf = (world: FunctionsWorld, name = "hello") => world.functions.reading.get(REALM, name, undefined);

describe("creating a function", () => {
  it("answers pending, refuses calls until its code is ready, and then takes them", async (test) => {
    const world = await FunctionsWorld.open(test);
    const created = await world.functions.lifecycle.create(REALM, { ...minimal("hello"), zip: await codeOf("1") });
    assert.deepEqual(created.state, { kind: "pending" });
    assert.throws(() => world.functions.find(REALM, "hello", undefined), failsWith("FunctionNotReady", /Pending/));
    await world.functions.lifecycle.ready(REALM, "hello");
    assert.deepEqual(latestOf(world).state, { kind: "active" });
    assert.equal(world.functions.find(REALM, "hello", undefined).functionArn, "arn:aws:lambda:us-east-1:000000000000:function:hello");
    assert.deepEqual(
      world.changes.map((change) => change.kind),
      ["ready"],
    );
  });

  it("is taken up at the next start when the server was killed before the code was ready", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.functions.lifecycle.create(REALM, { ...minimal("hello"), zip: await codeOf("1") });
    await world.crash();
    await world.functions.settled();
    assert.deepEqual(latestOf(world).state, { kind: "active" });
  });

  it("happens once when two ask for the same name at the same time", async (test) => {
    const world = await FunctionsWorld.open(test);
    const zip = await codeOf("1");
    const both = await Promise.allSettled([1, 2].map(() => world.functions.lifecycle.create(REALM, { ...minimal("hello"), zip })));
    const refused = both.filter((ended) => ended.status === "rejected");
    assert.equal(refused.length, 1);
    assert.throws(() => {
      throw refused[0]?.reason;
    }, failsWith("AlreadyExists"));
  });

  it("that is refused leaves no code behind", async (test) => {
    const world = await FunctionsWorld.open(test);
    const zip = await codeOf("1");
    await assert.rejects(
      world.functions.lifecycle.create(REALM, { ...minimal("hello"), memoryMb: 64, zip }),
      failsWith("InvalidParameter", /MemorySize is 64/),
    );
    await assert.rejects(
      world.functions.lifecycle.create(REALM, { ...minimal("hello"), zip: Buffer.from("no zip") }),
      failsWith("InvalidCode"),
    );
    await assert.rejects(
      world.functions.lifecycle.create(REALM, { ...minimal("hello"), zip: Buffer.alloc(52_428_801) }),
      failsWith("RequestTooLarge", /52428800/),
    );
    assert.deepEqual(readdirSync(world.codeFolder), ["boot"]);
    assert.throws(
      () => latestOf(world),
      failsWith("NotFound", /Function not found: arn:aws:lambda:us-east-1:000000000000:function:hello$/),
    );
  });

  it("seals its environment: the value is nowhere in the store, and is there after a restart", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.functions.lifecycle.create(REALM, { ...minimal("hello"), environment: { TOKEN: "hush-hush" }, zip: await codeOf("1") });
    await world.functions.settled();
    const rows = await world.store.list("000000000000.us-east-1/registry/functions/0", { prefix: "", limit: 1_000 });
    assert.ok(rows.length > 0);
    for (const row of rows) assert.ok(!Buffer.from(row.value).includes("hush-hush"));
    await world.reopen();
    assert.deepEqual(latestOf(world).version.environment, { TOKEN: "hush-hush" });
  });

  it("in one region is a hint for who looks in another", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("hello");
    await world.reopen();
    assert.throws(
      () => world.functions.find({ ...REALM, region: "eu-west-1" }, "hello", undefined),
      failsWith("NotFound", /there is one of that name in us-east-1/),
    );
  });
});

describe("changing a function", () => {
  it("lets calls go to the version before until the new one is ready, without a gap", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("hello");
    const before = world.functions.find(REALM, "hello", undefined).versions[0]?.version ?? assert.fail();
    const answer = await world.functions.lifecycle.updateCode(REALM, "hello", { zip: await codeOf("2") });
    assert.equal(answer.update.kind, "inProgress");
    assert.equal(world.functions.find(REALM, "hello", undefined).versions[0]?.version, before);
    await world.functions.lifecycle.ready(REALM, "hello");
    assert.equal(latestOf(world).update.kind, "successful");
    assert.equal(world.functions.find(REALM, "hello", undefined).versions[0]?.version.code.sha256, answer.version.code.sha256);
    assert.deepEqual(
      world.changes
        .slice(-2)
        .map((change) => (change.kind === "ready" ? change.version.revisionId : change.kind === "retired" ? change.versionKey : "")),
      [answer.version.revisionId, versionKey(before)],
    );
  });

  it("is refused while another change is being made ready", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("hello");
    const { lifecycle, versions } = world.functions;
    await lifecycle.updateCode(REALM, "hello", { zip: await codeOf("2") });
    const attempts = [lifecycle.updateConfiguration(REALM, "hello", { memoryMb: 512 }), versions.publish(REALM, "hello", {})];
    for (const attempt of attempts) await assert.rejects(attempt, failsWith("Conflict", /An update is in progress/));
    await lifecycle.ready(REALM, "hello");
    await lifecycle.updateConfiguration(REALM, "hello", { timeoutMs: 9_000 });
    assert.deepEqual([latestOf(world).version.memoryMb, latestOf(world).version.timeoutMs], [128, 9_000]);
  });

  it("is taken up at the next start when the server was killed before it was ready", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("hello");
    const answer = await world.functions.lifecycle.updateCode(REALM, "hello", { zip: await codeOf("2"), publish: true });
    await world.crash();
    await world.functions.settled();
    assert.equal(latestOf(world).version.code.sha256, answer.version.code.sha256);
    assert.deepEqual(world.functions.reading.get(REALM, "hello", "1").state, { kind: "active" });
  });

  it("with the wrong revision id is refused, with the current one it is done", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("hello");
    const { revisionId } = latestOf(world).version;
    await assert.rejects(
      world.functions.lifecycle.updateConfiguration(REALM, "hello", { revisionId: "other" }),
      failsWith("RevisionMismatch"),
    );
    await world.functions.lifecycle.updateConfiguration(REALM, "hello", { description: "new", revisionId });
    await world.functions.settled();
    await assert.rejects(world.functions.lifecycle.updateConfiguration(REALM, "hello", { revisionId }), failsWith("RevisionMismatch"));
  });

  it("as a dry run tells what would be, changes nothing and leaves no code behind", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("hello");
    const before = latestOf(world);
    const answer = await world.functions.lifecycle.updateCode(REALM, "hello", { zip: await codeOf("2"), dryRun: true });
    assert.notEqual(answer.version.code.sha256, before.version.code.sha256);
    assert.deepEqual(latestOf(world), before);
    assert.equal(readdirSync(world.codeFolder).length, 2);
    await assert.rejects(
      world.functions.lifecycle.updateCode(REALM, "hello", { zip: Buffer.from("x"), dryRun: true }),
      failsWith("InvalidCode"),
    );
  });

  it("that could not be made ready leaves it as it was, taking calls, and says why", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("hello");
    const before = world.functions.find(REALM, "hello", undefined).versions[0]?.version.revisionId;
    rmSync(world.treesFolder, { recursive: true });
    writeFileSync(world.treesFolder, "a file where the folder was");
    await world.functions.lifecycle.updateCode(REALM, "hello", { zip: await codeOf("2") });
    await world.functions.settled();
    assert.equal(world.functions.find(REALM, "hello", undefined).versions[0]?.version.revisionId, before);
    const { update } = latestOf(world);
    assert.ok(update.kind === "failed" && /could not be made ready/.test(update.reason));
  });

  it("by a tag that is a setting takes effect at once, and by any other tag changes no revision", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("hello");
    const before = latestOf(world).version;
    await world.functions.lifecycle.changeTags(REALM, "hello", { team: "a", ["__proto__"]: "kept" }, []);
    assert.equal(latestOf(world).version.revisionId, before.revisionId);
    await world.functions.lifecycle.changeTags(REALM, "hello", { "lambent:concurrency": "50", "lambent:handler-style": "web" }, ["team"]);
    const after = world.functions.find(REALM, "hello", undefined).versions[0]?.version;
    assert.deepEqual([after?.concurrencyPerInstance, after?.handlerStyle], [50, "web"]);
    assert.deepEqual(world.changes.at(-1), { kind: "retired", versionKey: versionKey(before) });
    await world.reopen();
    assert.deepEqual(Object.keys(world.functions.reading.details(REALM, "hello").tags).toSorted(), [
      "__proto__",
      "lambent:concurrency",
      "lambent:handler-style",
    ]);
    await assert.rejects(
      world.functions.lifecycle.changeTags(REALM, "hello", { "lambent:concurrency": "1001" }, []),
      failsWith("InvalidParameter", /1 to 1000/),
    );
  });

  it("that the store refuses changes nothing in memory. P1", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("hello");
    world.faults = ({ kind }) => (kind === "commit" ? { kind: "busy" } : undefined);
    const before = latestOf(world);
    await assert.rejects(world.functions.lifecycle.updateConfiguration(REALM, "hello", { memoryMb: 512 }), failsWith("StorageBusy"));
    await assert.rejects(world.functions.aliases.create(REALM, "hello", "live", { version: LATEST }), failsWith("StorageBusy"));
    assert.deepEqual(latestOf(world), before);
    assert.throws(() => world.functions.aliases.get(REALM, "hello", "live"), failsWith("NotFound"));
  });
});

describe("versions", () => {
  it("are numbered from 1, unchangeable, and never numbered again, not even for a function made anew", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("hello");
    const { versions, lifecycle } = world.functions;
    const publish = async (description: string): Promise<string> => {
      await lifecycle.updateConfiguration(REALM, "hello", { environment: { VALUE: `x${description}` } });
      await lifecycle.ready(REALM, "hello");
      return (await versions.publish(REALM, "hello", { description })).version.version;
    };
    assert.deepEqual([await publish("a"), await publish("b")], ["1", "2"]);
    await lifecycle.remove(REALM, "hello", "2");
    assert.equal(await publish("c"), "3");
    assert.equal(world.functions.reading.get(REALM, "hello", "1").version.environment["VALUE"], "xa");
    await lifecycle.remove(REALM, "hello", undefined);
    await world.reopen();
    await world.made("hello");
    assert.equal((await world.functions.versions.publish(REALM, "hello", {})).version.version, "4");
  });

  it("are published once when nothing changed, and only with the code that is expected", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("hello");
    const { versions } = world.functions;
    const first = await versions.publish(REALM, "hello", { codeSha256: latestOf(world).version.code.sha256 });
    assert.equal((await versions.publish(REALM, "hello", {})).version.revisionId, first.version.revisionId);
    await assert.rejects(versions.publish(REALM, "hello", { codeSha256: "other" }), failsWith("InvalidParameter", /CodeSHA256/));
    await assert.rejects(versions.publish(REALM, "hello", { revisionId: "other" }), failsWith("RevisionMismatch"));
  });

  it("are kept while an alias needs them", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("hello");
    const { versions, aliases, lifecycle } = world.functions;
    await versions.publish(REALM, "hello", {});
    await aliases.create(REALM, "hello", "live", { version: "1" });
    await assert.rejects(lifecycle.remove(REALM, "hello", "1"), failsWith("Conflict", /aliases reference it: \[live\]/));
    await assert.rejects(lifecycle.remove(REALM, "hello", LATEST), failsWith("InvalidParameter"));
    await aliases.remove(REALM, "hello", "live");
    await lifecycle.remove(REALM, "hello", "1");
    assert.throws(() => world.functions.find(REALM, "hello", "1"), failsWith("NotFound"));
  });
});

describe("deleting a function", () => {
  it("with more rows than a commit takes leaves nothing, also when the server is killed in between", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("hello");
    for (let index = 0; index < 520; index++) await world.functions.aliases.create(REALM, "hello", `a${index}`, { version: LATEST });
    const rest = world.functions.lifecycle.remove(REALM, "hello", undefined).catch(() => undefined);
    await world.store.close();
    await rest;
    await world.crash();
    const rows = await world.store.list("000000000000.us-east-1/registry/functions/0", { prefix: "", limit: 1_000 });
    assert.ok(rows.length === 0 || rows.length === 521, `${rows.length} rows: deleted whole, or not at all`);
    if (rows.length > 0) await world.functions.lifecycle.remove(REALM, "hello", undefined);
    await world.made("hello");
    assert.deepEqual(world.functions.aliases.list(REALM, "hello", undefined, {}).items, []);
  });
});

describe("code of a version that calls wait for", () => {
  for (const [what, change] of [
    ["superseded", (world: FunctionsWorld, zip: Buffer) => world.functions.lifecycle.updateCode(REALM, "hello", { zip })],
    ["deleted", (world: FunctionsWorld) => world.functions.lifecycle.remove(REALM, "hello", undefined)],
  ] as const) {
    it(`is there until they are served when the version is ${what}, and is removed then`, async (test) => {
      const world = await FunctionsWorld.open(test);
      await world.made("hello");
      const version = world.functions.find(REALM, "hello", undefined).versions[0]?.version ?? assert.fail("no version");
      const letGo = world.functions.keepCode(version);
      await change(world, await codeOf("2"));
      await world.functions.settled();
      const taken = await world.functions.takeTree(version);
      assert.deepEqual(readdirSync(taken), ["index.mjs"]);
      letGo();
      await world.functions.settled();
      await assert.rejects(world.functions.takeTree(version), failsWith("StorageCorrupt"));
    });
  }
});

it("versions with provisioned concurrency are named after a start, by their number and behind an alias", async (test) => {
  const world = await FunctionsWorld.open(test);
  await world.made("hello");
  await world.functions.versions.publish(REALM, "hello", {});
  await world.functions.aliases.create(REALM, "hello", "live", { version: "1" });
  assert.deepEqual(world.functions.provisionedVersions(), []);
  await world.functions.concurrency.provision(REALM, "hello", "live", 2);
  await world.reopen();
  assert.deepEqual(
    world.functions.provisionedVersions().map(({ name, version }) => [name, version]),
    [["hello", "1"]],
  );
});
