import { createHmac, createSecretKey, type KeyObject } from "node:crypto";
import { Lru } from "../../base/index.ts";

/** Derived keys kept: one per secret, day, region and service in use (P7). */
const SIGNING_KEYS_MAX = 2_048;

/** Derives and remembers SigV4 signing keys: four HMACs the first time, a look-up after. */
export class SigningKeys {
  readonly #keys = new Lru<string, KeyObject>(SIGNING_KEYS_MAX);

  /** HMAC-SHA256, hex, of `text` under the key of `secret` for the scope `date/region/service/aws4_request`. */
  sign(secret: string, scope: string, text: string): Buffer {
    return createHmac("sha256", this.#key(secret, scope)).update(text).digest();
  }

  #key(secret: string, scope: string): KeyObject {
    // A secret holds no line break (`createCredentials` checks), so the pair is unambiguous.
    const name = `${secret}\n${scope}`;
    const known = this.#keys.get(name);
    if (known) return known;
    let derived = Buffer.from(`AWS4${secret}`, "utf8");
    for (const part of scope.split("/")) derived = createHmac("sha256", derived).update(part).digest();
    const key = createSecretKey(derived);
    this.#keys.set(name, key);
    return key;
  }
}
