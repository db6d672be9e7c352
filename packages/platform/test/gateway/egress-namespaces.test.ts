import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

/**
 * The way out of an instance, for real: three network namespaces, the host's and a "public" machine's joined by a cable, and
 * the instance's own. Nothing leaves this machine. Needs root and the program `ip` (Debian: iproute2).
 */

interface Found {
  readonly seen: Readonly<Record<string, unknown>>;
  readonly asked: readonly string[];
}

function hasWhatItNeeds(): boolean {
  if (process.getuid?.() !== 0) return false;
  try {
    execFileSync("ip", ["-Version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

test("P3: an instance reaches public addresses through the egress proxy, and nothing else by any way", async (context) => {
  if (!hasWhatItNeeds()) {
    context.diagnostic("not run here: needs root and the program ip (Debian: iproute2)");
    assert.notEqual(process.env["CI"], "true", "CI shows this and must run as root, with iproute2 installed");
    return;
  }
  const host = join(import.meta.dirname, "egress-world", "host.ts");
  const { stdout } = await promisify(execFile)("unshare", ["--net", process.execPath, host], { timeout: 60_000 });
  const { seen, asked } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Found;
  const { unknownName, httpsRefused, directPublic, directHost, ...through } = seen;
  assert.deepEqual(through, {
    http: "200 public GET /a?b",
    https: "200 public GET /secure",
    classic: "public GET /classic",
    address: "200 public GET /by-address",
    hostAddress: "403 8.8.4.1 is not a public address.",
    mixed: "403 mixed.test resolves to 127.0.0.1, which is not a public address.",
    private: "403 private.test resolves to 10.0.0.1, which is not a public address.",
    rebindingFirst: "200 public GET /",
    rebindingSecond: "403 rebinding.test resolves to 127.0.0.1, which is not a public address.",
    python: ["public GET /python", "public GET /python"],
  });
  assert.equal(unknownName, "403 nobody.test does not resolve.");
  for (const [name, value] of Object.entries({ httpsRefused, directPublic, directHost })) assert.match(String(value), /^failed: /, name);
  assert.equal(asked.filter((name) => name === "rebinding.test").length, 2, "one look-up a request");
});
