import assert from "node:assert/strict";
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { systemSecureRandom } from "../../src/base/index.ts";
import { chooseRootKeys, createCipher, ephemeralSecrets, openSecrets, WELL_KNOWN_ROOT_KEYS } from "../../src/security/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

describe("the secrets of a data folder", () => {
  it("are made at the first start, for the owner alone, and are the same at the second", (test) => {
    const folder = temporaryFolder(test);
    const first = openSecrets(folder, systemSecureRandom);
    assert.match(first.rootKey.accessKeyId, /^AKIA[A-Z2-7]{16}$/);
    assert.equal(first.rootKey.secretAccessKey.length, 40);
    assert.equal(first.rootKey.account, "000000000000");
    assert.deepEqual(readdirSync(folder).toSorted(), ["cipher-key", "root-key"]);
    for (const file of readdirSync(folder)) assert.equal(statSync(join(folder, file)).mode & 0o777, 0o600);
    assert.deepEqual(openSecrets(folder, systemSecureRandom), first);
    assert.deepEqual(JSON.parse(readFileSync(join(folder, "root-key"), "utf8")), first.rootKey);
  });

  it("differ from folder to folder and from use to use", (test) => {
    const [one, two] = [openSecrets(temporaryFolder(test), systemSecureRandom), ephemeralSecrets(systemSecureRandom)];
    assert.notDeepEqual(one.rootKey, two.rootKey);
    assert.notDeepEqual(one.cipherKey, one.tokenKey);
  });

  it("are closed to others again when their mode was opened", (test) => {
    const folder = temporaryFolder(test);
    openSecrets(folder, systemSecureRandom);
    chmodSync(join(folder, "root-key"), 0o644);
    openSecrets(folder, systemSecureRandom);
    assert.equal(statSync(join(folder, "root-key")).mode & 0o777, 0o600);
  });

  for (const [file, text] of [
    ["root-key", "{"],
    ["root-key", "null"],
    ["root-key", '{"accessKeyId":"a"}'],
    ["root-key", '{"accessKeyId":"abc","secretAccessKey":"s","account":"1"}'],
    ["cipher-key", "c2hvcnQ="],
    ["cipher-key", ""],
  ] as const) {
    it(`are refused, naming the file, when ${file} holds ${JSON.stringify(text)}`, (test) => {
      const folder = temporaryFolder(test);
      writeFileSync(join(folder, file), text);
      assert.throws(() => openSecrets(folder, systemSecureRandom), { code: "DataFolderUnusable", message: new RegExp(`${file} `) });
      assert.equal(readFileSync(join(folder, file), "utf8"), text);
    });
  }

  it("cannot be made in a folder that is not there", (test) => {
    assert.throws(() => openSecrets(join(temporaryFolder(test), "missing"), systemSecureRandom), { code: "DataFolderUnusable" });
  });
});

describe("the root keys in force", () => {
  const secrets = ephemeralSecrets(systemSecureRandom);
  const given = { accessKeyId: "GIVEN", secretAccessKey: "sixteen-or-more-characters" };
  const choose = (changed: object) => chooseRootKeys({ secrets, given: undefined, wellKnown: false, loopback: true, ...changed });
  const refused = { code: "InvalidParameter" };

  it("are the folder's own on loopback, with the well-known ones only when asked for", () => {
    assert.deepEqual(choose({}), [secrets.rootKey]);
    assert.deepEqual(choose({ wellKnown: true }), [secrets.rootKey, ...WELL_KNOWN_ROOT_KEYS]);
  });
  it("are the given one in place of the folder's own", () =>
    assert.deepEqual(choose({ given, loopback: false }), [{ ...given, account: "000000000000" }]));
  it("off loopback have to be given and are never well known", () => {
    assert.throws(() => choose({ loopback: false }), refused);
    assert.throws(() => choose({ loopback: false, given, wellKnown: true }), refused);
  });
  it("are refused when malformed", () => {
    for (const changed of [
      { accessKeyId: "a b" },
      { secretAccessKey: "short" },
      { secretAccessKey: "with\nline-breaks-in-it" },
      { account: "12" },
    ]) {
      assert.throws(() => choose({ given: { ...given, ...changed } }), refused);
    }
  });
});

describe("the cipher", () => {
  const cipher = createCipher(systemSecureRandom.bytes(32), systemSecureRandom);

  it("opens what it sealed, and seals the same text differently each time", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), (plain, context) => {
        const sealed = cipher.seal(plain, context);
        assert.deepEqual(new Uint8Array(cipher.open(sealed, context)), new Uint8Array(plain));
        assert.notDeepEqual(cipher.seal(plain, context), sealed);
      }),
      { seed: 1, numRuns: 100 },
    );
  });

  it("opens nothing with another context, another key, or any bit changed", () => {
    const sealed = cipher.seal(Buffer.from("secret"), "function/hello");
    const corrupt = { code: "StorageCorrupt" };
    assert.throws(() => cipher.open(sealed, "function/other"), corrupt);
    assert.throws(() => createCipher(systemSecureRandom.bytes(32), systemSecureRandom).open(sealed, "function/hello"), corrupt);
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      assert.throws(() => cipher.open(changed, "function/hello"), corrupt);
    }
    for (let length = 0; length < sealed.length; length += 1)
      assert.throws(() => cipher.open(sealed.subarray(0, length), "function/hello"), corrupt);
  });
});
