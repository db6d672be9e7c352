import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ManualClock, systemSecureRandom } from "../../../src/base/index.ts";
import { ApiDestinations, type AuthorizationDraft, Connections, destinationArn, NO_PARAMETERS } from "../../../src/bus/index.ts";
import { createCipher } from "../../../src/security/index.ts";
import { eachCell, eachRow, MemoryDisk, openMemoryStore, type Store } from "../../../src/storage/index.ts";

const REALM = { account: "000000000000", region: "us-east-1" };
const OTHER = { account: "000000000000", region: "eu-west-1" };
const SECRETS = ["hunter2-password", "key-value-9", "client-secret-7", "secret-parameter-5"];
const BASIC: AuthorizationDraft = { kind: "basic", username: "ada", password: "hunter2-password" };
const API_KEY: AuthorizationDraft = { kind: "apiKey", name: "X-Key", value: "key-value-9" };
const OAUTH: AuthorizationDraft = {
  kind: "oauth",
  clientId: "id",
  clientSecret: "client-secret-7",
  endpoint: "https://auth.test/token",
  method: "POST",
};
const INVOCATION = { ...NO_PARAMETERS, headers: [{ key: "X-P", value: "secret-parameter-5", secret: true }] };

const draftOf = (authorization: AuthorizationDraft) => ({ description: undefined, authorization, invocation: INVOCATION });

async function open({ store = openMemoryStore(), key = 1 }: { store?: Store; key?: number } = {}) {
  const clock = new ManualClock();
  const announced: string[] = [];
  const common = { store, clock, secureRandom: systemSecureRandom };
  const cipher = createCipher(Buffer.alloc(32, key), systemSecureRandom);
  const connections = await Connections.open({ ...common, cipher, onAuthorizing: (_realm, name) => announced.push(name) });
  const destinations = await ApiDestinations.open({ ...common, connections });
  return { store, clock, connections, destinations, announced };
}

describe("a connection's secrets", () => {
  test("lie sealed in the store and in memory, and are whole when they are opened again after a start", async () => {
    const disk = new MemoryDisk();
    const first = await open({ store: openMemoryStore({ disk }) });
    for (const [name, authorization] of Object.entries({ basic: BASIC, key: API_KEY, oauth: OAUTH }))
      await first.connections.create(REALM, name, draftOf(authorization));
    let rows = "";
    for await (const cell of eachCell(first.store))
      for await (const { key, value } of eachRow(first.store, cell)) rows += key + Buffer.from(value).toString();
    assert.ok(rows.includes("connection/oauth"));
    for (const secret of SECRETS)
      assert.ok(!rows.includes(secret) && !JSON.stringify(first.connections.list(REALM, "")).includes(secret), secret);
    await first.store.close();

    const second = await open({ store: openMemoryStore({ disk }) });
    const content = second.connections.content(REALM, second.connections.get(REALM, "oauth"));
    assert.deepEqual(content, { authorization: { ...OAUTH, parameters: NO_PARAMETERS }, invocation: INVOCATION });
    second.connections.resume();
    assert.deepEqual(second.announced, ["oauth"]);
    await second.store.close();
  });

  test("cannot be opened with another key, nor in the place of another connection", async () => {
    const disk = new MemoryDisk();
    const { connections, store } = await open({ store: openMemoryStore({ disk }) });
    const [left, right] = [
      await connections.create(REALM, "left", draftOf(BASIC)),
      await connections.create(REALM, "right", draftOf(API_KEY)),
    ];
    assert.throws(() => connections.content(REALM, { ...left, state: right.state }), { code: "StorageCorrupt" });
    assert.throws(() => connections.content(OTHER, left), { code: "StorageCorrupt" });
    await store.close();
    const other = await open({ store: openMemoryStore({ disk }), key: 2 });
    assert.throws(() => other.connections.content(REALM, other.connections.get(REALM, "left")), { code: "StorageCorrupt" });
    await other.store.close();
  });

  test("are gone once it is de-authorized, and new ones can be given", async () => {
    const { connections } = await open();
    await connections.create(REALM, "c", draftOf(BASIC));
    const { state } = await connections.deauthorize(REALM, "c");
    assert.deepEqual(state, { kind: "deauthorized" });
    assert.equal(connections.content(REALM, connections.get(REALM, "c")), undefined);
    const change = { description: "again", authorization: { kind: "basic", username: "ada" }, invocation: undefined } as const;
    await assert.rejects(connections.update(REALM, "c", change), { code: "InvalidParameter", message: /Password is required/ });
    await connections.update(REALM, "c", { ...change, authorization: BASIC });
    assert.equal(connections.get(REALM, "c").state.kind, "authorized");
  });
});

describe("a change of a connection", () => {
  test("keeps what it leaves out, as long as the kind stays", async () => {
    const { connections, announced } = await open();
    await connections.create(REALM, "c", draftOf(OAUTH));
    await connections.settle(REALM, connections.get(REALM, "c"), { kind: "authorized" });
    await connections.update(REALM, "c", { description: "new", authorization: undefined, invocation: undefined });
    assert.equal(connections.get(REALM, "c").state.kind, "authorized");
    await connections.update(REALM, "c", {
      description: undefined,
      authorization: { kind: "oauth", clientId: "other" },
      invocation: undefined,
    });
    const connection = connections.get(REALM, "c");
    assert.deepEqual([connection.description, connection.state.kind, connection.version], ["new", "authorizing", 2]);
    const content = connections.content(REALM, connection);
    assert.deepEqual(content, { authorization: { ...OAUTH, clientId: "other", parameters: NO_PARAMETERS }, invocation: INVOCATION });
    assert.deepEqual(announced, ["c", "c"]);
    const toKey = { description: undefined, authorization: { kind: "apiKey", name: "K" }, invocation: undefined } as const;
    await assert.rejects(connections.update(REALM, "c", toKey), { message: /ApiKeyValue is required/ });
  });

  test("makes what was learned of the secrets before count for nothing", async () => {
    const { connections } = await open();
    const before = await connections.create(REALM, "c", draftOf(OAUTH));
    await connections.update(REALM, "c", {
      description: undefined,
      authorization: { kind: "oauth", clientId: "other" },
      invocation: undefined,
    });
    await connections.settle(REALM, before, { kind: "refused", reason: "old" });
    assert.equal(connections.get(REALM, "c").state.kind, "authorizing");
    await connections.settle(REALM, connections.get(REALM, "c"), { kind: "refused", reason: "new" });
    const { state } = connections.get(REALM, "c");
    assert.ok(state.kind === "refused" && state.reason === "new");
  });
});

describe("definitions that are refused", () => {
  test("connections: names that are taken or none, headers that HTTP does not have, endpoints that are none", async () => {
    const { connections } = await open();
    await connections.create(REALM, "c", draftOf(BASIC));
    await assert.rejects(connections.create(REALM, "c", draftOf(BASIC)), {
      code: "AlreadyExists",
      message: "Connection c already exists.",
    });
    await connections.create(OTHER, "c", draftOf(BASIC));
    assert.throws(() => connections.get(REALM, "d"), {
      code: "NotFound",
      message: "Failed to describe the connection(s). Connection 'd' does not exist.",
    });
    const refused: readonly [string, AuthorizationDraft][] = [
      ["", BASIC],
      ["a b", BASIC],
      ["x".repeat(65), BASIC],
      ["basic", { ...BASIC, username: "a:b" }],
      ["key", { kind: "apiKey", name: "a b", value: "v" }],
      ["key", { kind: "apiKey", name: "a", value: "v\r\nx: y" }],
      ["key", { kind: "apiKey", name: "a", value: "\u2603" }],
      ...["ftp://a/", "nonsense", "https://u:p@a/", "https://a/*", "https://a/#f", `https://a/${"x".repeat(2_048)}`].map(
        (endpoint): [string, AuthorizationDraft] => ["oauth", { ...OAUTH, endpoint }],
      ),
    ];
    for (const [name, authorization] of refused)
      await assert.rejects(
        connections.create(REALM, name, draftOf(authorization)),
        { code: "InvalidParameter" },
        JSON.stringify(authorization),
      );
    const many = { ...NO_PARAMETERS, query: Array.from({ length: 101 }, () => ({ key: "k", value: "v", secret: false })) };
    await assert.rejects(connections.create(REALM, "many", { ...draftOf(BASIC), invocation: many }), { code: "InvalidParameter" });
    assert.deepEqual(
      connections.list(REALM, "").map(({ name }) => name),
      ["c"],
    );
  });

  test("API destinations: without their connection, with an endpoint or a rate that is none", async () => {
    const { connections, destinations } = await open();
    const connectionArn = destinationArn("connection", REALM, await connections.create(REALM, "c", draftOf(BASIC)));
    const draft = {
      description: undefined,
      connectionArn,
      endpoint: "https://api.test/*/x",
      method: "POST",
      invocationsPerSecond: undefined,
    } as const;
    const made = await destinations.create(REALM, "d", draft);
    assert.equal(made.invocationsPerSecond, 300);
    await assert.rejects(destinations.create(REALM, "d", draft), {
      code: "AlreadyExists",
      message: "An api-destination 'd' already exists.",
    });
    await assert.rejects(async () => destinations.create(OTHER, "d", draft), { code: "NotFound" });
    await assert.rejects(async () => destinations.create(REALM, "e", { ...draft, connectionArn: connectionArn.slice(0, -1) }), {
      code: "NotFound",
      message: /^Connection 'arn:.*' does not exist\.$/,
    });
    for (const endpoint of ["https://*.test/", "https://api.test/?q=*", "file:///etc/passwd", "//api.test"])
      await assert.rejects(async () => destinations.update(REALM, "d", { ...draft, endpoint }), { code: "InvalidParameter" }, endpoint);
    for (const invocationsPerSecond of [0, 1.5, -1])
      await assert.rejects(async () => destinations.update(REALM, "d", { ...draft, invocationsPerSecond }), { code: "InvalidParameter" });
    assert.deepEqual(destinations.get(REALM, "d"), made);
  });
});
