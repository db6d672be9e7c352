import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkBrowser, type BrowserRules, type Surface } from "../../src/security/index.ts";

const rules: BrowserRules = {
  allowedHosts: ["lambent", "*.example.test", "192.168.1.5"],
  allowedOrigins: ["https://console.example.test"],
};
const verdict = (surface: Surface, headers: Record<string, string>): string => checkBrowser(surface, headers, rules).kind;

describe("the host of a request", () => {
  for (const host of [
    "127.0.0.1:4566",
    "127.3.2.1",
    "[::1]:4566",
    "localhost",
    "LOCALHOST:4566",
    "hello.localhost:4566",
    "localhost.",
    "lambent:4566",
    "a.example.test",
    "192.168.1.5:80",
  ]) {
    it(`${host} is served`, () => assert.equal(verdict("api", { host }), "allowed"));
  }
  for (const host of [
    "attacker.test",
    "localhost.attacker.test",
    "127.0.0.1.attacker.test",
    "example.test",
    "notexample.test",
    "192.168.1.6",
    "[::2]",
    "",
    "a b",
    "localhost:port",
    "user@localhost",
  ]) {
    for (const surface of ["api", "console", "functionUrl", "s3", "health"] as const) {
      it(`${host || "nothing"} is refused for ${surface}`, () => assert.equal(verdict(surface, { host }), "refused"));
    }
  }
  it("may come as :authority, and is needed", () => {
    assert.equal(verdict("api", { ":authority": "localhost" }), "allowed");
    assert.equal(verdict("api", {}), "refused");
  });
});

describe("a page's request to API or console", () => {
  const host = "127.0.0.1:4566";
  const cases: readonly (readonly [Record<string, string>, string])[] = [
    [{}, "allowed"],
    [{ "sec-fetch-site": "none" }, "allowed"],
    [{ "sec-fetch-site": "same-origin", origin: "http://127.0.0.1:4566" }, "allowed"],
    [{ "sec-fetch-site": "same-site" }, "refused"],
    [{ "sec-fetch-site": "cross-site" }, "refused"],
    [{ "sec-fetch-site": "cross-site", origin: "http://127.0.0.1:4566" }, "refused"],
    [{ origin: "http://127.0.0.1:3000" }, "refused"],
    [{ origin: "null" }, "refused"],
    [{ origin: "https://attacker.test" }, "refused"],
    [{ origin: "https://console.example.test", "sec-fetch-site": "cross-site" }, "allowed"],
  ];
  for (const [headers, expected] of cases) {
    it(`with ${JSON.stringify(headers)} is ${expected}`, () => {
      assert.equal(verdict("api", { host, ...headers }), expected);
      assert.equal(verdict("console", { host, ...headers }), expected);
    });
  }
  it("to a function URL is left to its CORS", () => {
    assert.equal(verdict("functionUrl", { host, origin: "https://anywhere.test", "sec-fetch-site": "cross-site" }), "allowed");
  });
});
