import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createEgress, egressAllowed, hostAddresses, type OpenedDestination } from "../../src/security/index.ts";

const NONE: ReadonlySet<string> = new Set();
const PUBLIC = "8.8.4.4";

describe("the egress rule", () => {
  const closed = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "169.254.169.254", "192.0.2.1",
    "198.18.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "::ffff:127.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:ffff:7f00:0001", "::127.0.0.1", "64:ff9b::7f00:1",
    "2002:7f00:1::", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "ff02::1", "2001:db8::1", "localhost", "", "1.2.3", "0x7f.1",
  ]; // prettier-ignore
  for (const ip of closed) it(`refuses ${ip || "nothing"}`, () => assert.equal(egressAllowed(ip, NONE, []), false));
  for (const ip of [PUBLIC, "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8"])
    it(`allows ${ip}`, () => assert.equal(egressAllowed(ip, NONE, []), true));

  it("refuses the host's own public address, in either spelling", () => {
    const own = new Set([PUBLIC, "2606:4700::1111"]);
    for (const ip of [PUBLIC, `::ffff:${PUBLIC}`, "2606:4700:0::1111"]) assert.equal(egressAllowed(ip, own, []), false);
  });

  it("allows a network that was opened", () => {
    const opened: OpenedDestination[] = [{ kind: "network", address: "10.1.0.0", prefix: 16 }];
    assert.equal(egressAllowed("10.1.2.3", NONE, opened), true);
    assert.equal(egressAllowed("10.2.2.3", NONE, opened), false);
  });

  it("knows the machine's loopback as its own", () => assert.ok(hostAddresses().has("127.0.0.1")));
});

describe("resolving for egress", () => {
  const egress = (answers: Record<string, readonly (readonly string[])[]>, opened: readonly OpenedDestination[] = []) => {
    const asked: string[] = [];
    const lookup = (host: string): Promise<readonly string[]> => {
      const turn = asked.filter((name) => name === host).length;
      asked.push(host);
      const answer = answers[host]?.[turn];
      return answer ? Promise.resolve(answer) : Promise.reject(new TypeError("ENOTFOUND"));
    };
    return { asked, ...createEgress({ lookup, ownAddresses: () => NONE, opened }) };
  };
  const refused = { code: "EgressRefused" };

  it("asks once and pins the address that was checked", async () => {
    const { asked, resolvePinned } = egress({ "example.test": [[PUBLIC, "8.8.8.8"]] });
    assert.deepEqual(await resolvePinned("Example.test", 443), { address: PUBLIC, family: 4 });
    assert.deepEqual(asked, ["example.test"]);
  });

  it("refuses a name that has one private address among public ones, none, or too many", async () => {
    const { resolvePinned } = egress({ mixed: [[PUBLIC, "127.0.0.1"]], empty: [[]], many: [Array.from({ length: 65 }, () => PUBLIC)] });
    for (const host of ["mixed", "empty", "many", "unknown", "", "x".repeat(300)]) await assert.rejects(resolvePinned(host, 80), refused);
  });

  it("refuses a name that resolves to loopback the second time", async () => {
    const { resolvePinned } = egress({ rebinding: [[PUBLIC], ["127.0.0.1"]] });
    assert.equal((await resolvePinned("rebinding", 80)).address, PUBLIC);
    await assert.rejects(resolvePinned("rebinding", 80), refused);
  });

  it("checks addresses without asking anybody", async () => {
    const { asked, resolvePinned } = egress({});
    assert.deepEqual(await resolvePinned("[2606:4700::1111]", 80), { address: "2606:4700::1111", family: 6 });
    await assert.rejects(resolvePinned("[::1]", 80), refused);
    await assert.rejects(resolvePinned("169.254.169.254", 80), refused);
    assert.deepEqual(asked, []);
  });

  it("lets through a host and port that was opened, and no other port", async () => {
    const { resolvePinned } = egress({ "db.test": [["10.0.0.5"], ["10.0.0.5"]] }, [
      { kind: "hostPort", host: "db.test", port: 5432 },
      { kind: "hostPort", host: "127.0.0.1", port: 8080 },
    ]);
    assert.equal((await resolvePinned("db.test", 5432)).address, "10.0.0.5");
    await assert.rejects(resolvePinned("db.test", 80), refused);
    assert.equal((await resolvePinned("127.0.0.1", 8080)).address, "127.0.0.1");
  });

  it("refuses malformed openings at start", () => {
    for (const opened of [
      { kind: "hostPort", host: "a", port: 0 },
      { kind: "network", address: "10.0.0.0", prefix: 33 },
      { kind: "network", address: "ten", prefix: 8 },
    ] as const) {
      assert.throws(() => createEgress({ opened: [opened] }), { code: "InvalidParameter" });
    }
  });

  it("lets through loopback where the server is on loopback, and says so once; never what is private or link-local", async () => {
    const said: string[] = [];
    const answers: Record<string, readonly string[]> = {
      mine: ["::1", "127.0.0.1"],
      mixed: ["127.0.0.1", "10.0.0.1"],
      metadata: ["169.254.169.254"],
    };
    const { resolveAll } = createEgress({
      lookup: (host) => Promise.resolve(answers[host] ?? []),
      ownAddresses: () => new Set(["127.0.0.1", PUBLIC]),
      opened: [],
      onLoopback: (host, port) => said.push(`${host}:${port}`),
    });
    assert.deepEqual(await resolveAll("2606:4700::1111", 80), [{ address: "2606:4700::1111", family: 6 }]);
    assert.deepEqual(said, []);
    assert.deepEqual(await resolveAll("mine", 80), [
      { address: "::1", family: 6 },
      { address: "127.0.0.1", family: 4 },
    ]);
    assert.deepEqual(await resolveAll("::ffff:127.0.0.9", 81), [{ address: "127.0.0.9", family: 4 }]);
    assert.deepEqual(said, ["mine:80"]);
    for (const host of ["mixed", "metadata", "10.0.0.1", "0.0.0.0", "[fe80::1]", PUBLIC])
      await assert.rejects(resolveAll(host, 80), refused, host);
  });

  it("tells a name without an address from one that may not be reached", async () => {
    const { resolvePinned } = egress({ empty: [[]], private: [["10.0.0.1"]] });
    for (const host of ["empty", "unknown"]) await assert.rejects(resolvePinned(host, 80), { ...refused, details: { unresolved: true } });
    await assert.rejects(resolvePinned("private", 80), { ...refused, details: {} });
  });
});
