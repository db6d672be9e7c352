import assert from "node:assert/strict";
import { randomFillSync } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { isLambentError } from "../../src/base/index.ts";
import { unpack } from "../../src/functions/code/unpack.ts";
import {
  CODE_NAME_BYTES_MAX,
  CODE_PATH_BYTES_MAX,
  CODE_PATH_DEPTH_MAX,
  CODE_RATIO_FREE_BYTES,
  CODE_UNPACKED_BYTES_MAX,
} from "../../src/functions/rules/limits.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { type RawEntry, rawZip, zipOf } from "../support/zips.ts";

const LINK = 0o120_777;
const ok: RawEntry = { name: "index.mjs", content: "export {}" };

/** What attackers and broken tools send, and the rule each is refused by. P8 */
const REFUSED: readonly { readonly what: string; readonly zip: () => Buffer | Promise<Buffer>; readonly rule: RegExp }[] = [
  { what: "no bytes", zip: () => Buffer.alloc(0), rule: /is empty/ },
  { what: "text", zip: () => Buffer.from("module.exports = 1"), rule: /not a readable zip/ },
  { what: "a zip without entries", zip: () => rawZip([]), rule: /no entries/ },
  { what: "directories only", zip: () => rawZip([{ name: "lib/", mode: 0o040_755, method: 0 }]), rule: /directories only/ },
  {
    what: "a zip cut at its end",
    zip: async () => (await zipOf({ "a.js": "x".repeat(5_000) })).subarray(0, -30),
    rule: /not a readable zip/,
  },
  {
    what: "a zip cut at its start",
    zip: async () => (await zipOf({ "a.js": "x".repeat(5_000) })).subarray(40),
    rule: /not a readable zip/,
  },
  { what: "..", zip: () => rawZip([ok, { name: "../evil.js" }]), rule: /"\.\.\/evil\.js" leaves the package by \.\./ },
  { what: ".. inside", zip: () => rawZip([ok, { name: "a/../../evil.js" }]), rule: /leaves the package by \.\./ },
  { what: "an absolute path", zip: () => rawZip([ok, { name: "/etc/passwd" }]), rule: /absolute path/ },
  { what: "a drive letter", zip: () => rawZip([ok, { name: "C:evil.js" }]), rule: /absolute path/ },
  { what: "a backslash", zip: () => rawZip([ok, { name: "..\\evil.js" }]), rule: /backslash/ },
  { what: "a zero byte", zip: () => rawZip([ok, { name: "a\0b" }]), rule: /zero byte/ },
  { what: "an empty name", zip: () => rawZip([ok, { name: "" }]), rule: /no name/ },
  { what: "an empty component", zip: () => rawZip([ok, { name: "a//b" }]), rule: /empty component/ },
  { what: "the package itself as a file", zip: () => rawZip([ok, { name: "." }]), rule: /names the package itself/ },
  { what: "a name that is not UTF-8", zip: () => rawZip([ok, { name: Buffer.from([0xff, 0xfe, 0x41]) }]), rule: /not UTF-8/ },
  { what: "a path too long", zip: () => rawZip([ok, { name: "a/".repeat(40) + "b".repeat(CODE_PATH_BYTES_MAX) }]), rule: /at most 1024/ },
  {
    what: "a component too long",
    zip: () => rawZip([ok, { name: "é".repeat(CODE_NAME_BYTES_MAX / 2 + 1) }]),
    rule: /component of more than 255/,
  },
  { what: "a path too deep", zip: () => rawZip([ok, { name: "d/".repeat(CODE_PATH_DEPTH_MAX) + "f" }]), rule: /levels deep/ },
  { what: "a name twice", zip: () => rawZip([ok, ok]), rule: /"index\.mjs" is there twice/ },
  { what: "a name twice, written differently", zip: () => rawZip([ok, { name: "./index.mjs" }]), rule: /is there twice/ },
  { what: "a file over a directory", zip: () => rawZip([{ name: "a/b" }, { name: "a" }]), rule: /lies below "a", which is a file/ },
  {
    what: "a file through a link",
    zip: () => rawZip([{ name: "out", content: "sub", mode: LINK }, { name: "out/evil" }]),
    rule: /lies below "out", which is a link/,
  },
  { what: "a link to above", zip: () => rawZip([ok, { name: "l", content: "../x", mode: LINK }]), rule: /may leave the package/ },
  {
    what: "a link to an absolute path",
    zip: () => rawZip([ok, { name: "l", content: "/etc/passwd", mode: LINK }]),
    rule: /link to an absolute path/,
  },
  {
    what: "a chain of links that each look harmless",
    zip: () => rawZip([ok, { name: "a/b/up", content: "../..", mode: LINK }, { name: "out", content: "a/b/up/..", mode: LINK }]),
    rule: /"out" is a link that may leave/,
  },
  { what: "a link to nothing", zip: () => rawZip([ok, { name: "l", content: "", mode: LINK }]), rule: /target is not 1 to/ },
  {
    what: "a link of a megabyte",
    zip: () => rawZip([ok, { name: "l", content: "a".repeat(1_000_000), mode: LINK }]),
    rule: /target is not 1 to/,
  },
  { what: "a device", zip: () => rawZip([ok, { name: "null", mode: 0o020_666 }]), rule: /neither file, directory nor link/ },
  { what: "a fifo", zip: () => rawZip([ok, { name: "pipe", mode: 0o010_644 }]), rule: /neither file, directory nor link/ },
  { what: "a directory called like a file", zip: () => rawZip([ok, { name: "d", mode: 0o040_755 }]), rule: /disagree/ },
  {
    what: "a directory with content",
    zip: () => rawZip([ok, { name: "d/", content: "x", mode: 0o040_755 }]),
    rule: /directory with content/,
  },
  { what: "an encrypted entry", zip: () => rawZip([ok, { name: "s", content: "x", flags: 0x801 }]), rule: /encrypted/ },
  { what: "an unknown method", zip: () => rawZip([ok, { name: "b", method: 12, content: "x" }]), rule: /method 12/ },
  { what: "a wrong checksum", zip: () => rawZip([{ ...ok, claimedCrc32: 1 }]), rule: /"index\.mjs" does not match its checksum/ },
  {
    what: "damaged deflate data",
    zip: () => rawZip([{ name: "a", content: "hello", packed: Buffer.from([0xff, 0xff, 0xff]) }]),
    rule: /deflate data is damaged/,
  },
  {
    what: "more than it claims, small",
    zip: () => rawZip([{ name: "a", content: "x".repeat(9_000), claimedBytes: 10 }]),
    rule: /longer than the zip claims/,
  },
  { what: "less than it claims, small", zip: () => rawZip([{ name: "a", content: "x", claimedBytes: 10 }]), rule: /has not the size/ },
  {
    what: "more than it claims, large",
    zip: () => rawZip([{ name: "a", content: noise(600_000), claimedBytes: 400_000 }]),
    rule: /longer than the zip claims/,
  },
  {
    what: "less than it claims, large",
    zip: () => rawZip([{ name: "a", content: noise(300_000), claimedBytes: 400_000 }]),
    rule: /shorter than the zip claims/,
  },
  {
    what: "a wrong checksum, large",
    zip: () => rawZip([{ name: "a", content: noise(300_000), claimedCrc32: 1 }]),
    rule: /does not match its checksum/,
  },
  {
    what: "a bomb",
    zip: () => rawZip([{ name: "zeros", content: Buffer.alloc(CODE_RATIO_FREE_BYTES + 1) }]),
    rule: /at most 200 for each/,
  },
  {
    what: "a bomb that says what it is",
    zip: () => rawZip([{ name: "zeros", content: "x", claimedBytes: CODE_UNPACKED_BYTES_MAX + 1 }]),
    rule: /unpacks to 262144001 bytes/,
  },
  {
    what: "entries that share their bytes",
    zip: () => rawZip([{ name: "a", content: noise(20_000) }, ...overlapping(9)]),
    rule: /overlap/,
  },
];

function noise(bytes: number): Buffer {
  return randomFillSync(Buffer.alloc(bytes));
}

function overlapping(count: number): RawEntry[] {
  return Array.from({ length: count }, (_, index) => ({ name: `b${index}`, content: noise(20_000), overlaps: true }));
}

describe("a zip is refused, naming entry and rule, when it has", () => {
  for (const { what, zip, rule } of REFUSED) {
    it(what, async (test) => {
      const folder = temporaryFolder(test);
      const [inside, bytes] = [join(folder, "in"), await zip()];
      mkdirSync(inside);
      await assert.rejects(unpack(bytes, inside), (error: unknown) => {
        assert.ok(isLambentError(error, "InvalidCode"), String(error));
        assert.match(error.message, rule);
        return true;
      });
      assert.deepEqual(readdirSync(folder), ["in"], "nothing was written outside");
    });
  }
});

describe("a zip that keeps the rules", () => {
  it("becomes the same files, with executable bits, without setuid and without writable bits for others", async (test) => {
    const folder = temporaryFolder(test);
    const manifest = await unpack(
      rawZip([
        { name: "bootstrap", content: "#!/bin/sh\n", mode: 0o104_777 },
        { name: "private.txt", content: "secret", mode: 0o100_600 },
        { name: "no-mode.txt", content: "", mode: 0, method: 0 },
        { name: "./deep/er/größe.txt", content: "ü" },
        { name: "empty/", mode: 0o040_700, method: 0 },
      ]),
      folder,
    );
    const modeOf = (path: string): string => (lstatSync(join(folder, path)).mode & 0o7777).toString(8);
    assert.deepEqual([modeOf("bootstrap"), modeOf("private.txt"), modeOf("no-mode.txt"), modeOf("empty")], ["755", "644", "644", "755"]);
    assert.equal(readFileSync(join(folder, "deep/er/größe.txt"), "utf8"), "ü");
    assert.equal(manifest.unpackedBytes, 10 + 6 + 0 + 2);
    assert.deepEqual(
      manifest.entries.filter((entry) => entry.kind === "directory").map((entry) => entry.path),
      ["deep", "deep/er", "empty"],
    );
  });

  it("may hold links that stay inside, also when they rise to the root and point to nothing", async (test) => {
    const folder = temporaryFolder(test);
    await unpack(
      rawZip([ok, { name: "a/b/l", content: "../../index.mjs", mode: LINK }, { name: "dangling", content: "./later", mode: LINK }]),
      folder,
    );
    assert.equal(readFileSync(join(folder, "a/b/l"), "utf8"), "export {}");
    assert.equal(readlinkSync(join(folder, "dangling")), "./later");
  });

  it("may hold large entries, stored and deflated", async (test) => {
    const folder = temporaryFolder(test);
    const [stored, deflated] = [noise(400_000), Buffer.alloc(2_000_000, "abcdefg")];
    await unpack(
      rawZip([
        { name: "stored", content: stored, method: 0 },
        { name: "deflated", content: deflated },
      ]),
      folder,
    );
    assert.ok(readFileSync(join(folder, "stored")).equals(stored));
    assert.ok(readFileSync(join(folder, "deflated")).equals(deflated));
  });
});

describe("whatever bytes come", () => {
  it("unpacking ends in a manifest or InvalidCode, and nothing is written outside", async (test) => {
    const folder = temporaryFolder(test);
    const base = rawZip([ok, { name: "a/b", content: "hello ".repeat(50) }, { name: "l", content: "a/b", mode: LINK }]);
    const inside = join(folder, "in");
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }), async (flips) => {
        const bytes = Buffer.from(base);
        for (const [at, value] of flips) bytes[at] = value;
        mkdirSync(inside);
        await unpack(bytes, inside).catch((error: unknown) => assert.ok(isLambentError(error, "InvalidCode"), String(error)));
        assert.deepEqual(readdirSync(folder), ["in"]);
        rmSync(inside, { recursive: true });
      }),
      { numRuns: 300, seed: 20_260_101 },
    );
  });
});
