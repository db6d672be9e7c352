import { createCipheriv, createDecipheriv, createSecretKey } from "node:crypto";
import { invariant, LambentError, type SecureRandom } from "../base/index.ts";
import type { Cipher } from "../model/index.ts";

/** Form of what `seal` returns: one byte of form, then nonce, ciphertext and tag. */
const FORM = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** A cipher that can also say, instead of throwing, that something was not sealed by it. */
export interface CheckingCipher extends Cipher {
  tryOpen(sealed: Uint8Array, context: string): Buffer | undefined;
}

/**
 * AES-256-GCM under `key` (32 bytes), a random nonce each time, `context` as additional data. `open` throws `StorageCorrupt`
 * for bytes that were not sealed with this key and context.
 */
export function createCipher(key: Uint8Array, secureRandom: SecureRandom): CheckingCipher {
  invariant(key.byteLength === 32, "an AES-256 key has 32 bytes");
  const secret = createSecretKey(key);
  const tryOpen = (sealed: Uint8Array, context: string): Buffer | undefined => {
    if (sealed.byteLength < 1 + NONCE_BYTES + TAG_BYTES || sealed[0] !== FORM) return undefined;
    const body = sealed.byteLength - TAG_BYTES;
    const decipher = createDecipheriv("aes-256-gcm", secret, sealed.subarray(1, 1 + NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(context, "utf8"));
    decipher.setAuthTag(sealed.subarray(body));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(1 + NONCE_BYTES, body)), decipher.final()]);
    } catch {
      // `final` throws for one reason only: the tag does not fit.
      return undefined;
    }
  };
  return {
    tryOpen,
    seal(plain, context) {
      const nonce = secureRandom.bytes(NONCE_BYTES);
      const cipher = createCipheriv("aes-256-gcm", secret, nonce, { authTagLength: TAG_BYTES });
      cipher.setAAD(Buffer.from(context, "utf8"));
      const body = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([Buffer.of(FORM), nonce, body, cipher.getAuthTag()]);
    },
    open(sealed, context) {
      const plain = tryOpen(sealed, context);
      if (plain === undefined)
        throw new LambentError("StorageCorrupt", `What is stored for ${context} was not sealed with this data folder's cipher key.`);
      return plain;
    },
  };
}
