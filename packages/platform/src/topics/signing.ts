/**
 * Messages are signed with a key that each account and region makes for itself at its first message and keeps: RSA, 2,048 bits, with a
 * certificate whose address stands in the message.
 * @see SNS developer guide, "Verifying the signatures of Amazon SNS messages"
 */
import { createPrivateKey, generateKeyPair, type KeyObject, sign } from "node:crypto";
import { promisify } from "node:util";
import type { Clock, Instant, SecureRandom } from "../base/index.ts";
import { type Cipher, realmKey, type Realm } from "../model/index.ts";
import type { RealmTable, RealmTables } from "../storage/index.ts";
import { selfSignedCertificate } from "./certificate.ts";

/** How messages of a topic are signed: 1 is SHA-1, 2 is SHA-256. */
export type SignatureVersion = "1" | "2";

/** A key as it is kept: the private half sealed. */
export interface KeptKey {
  /** Names it in the certificate's address. */
  readonly id: string;
  readonly sealed: string;
  readonly certificate: string;
  readonly madeAt: Instant;
}

/** Signs for one realm. */
export interface Signer {
  /** Names the certificate. */
  readonly keyId: string;
  sign(text: string, version: SignatureVersion): Promise<string>;
}

/** Private key of a realm that has none yet. */
export type MakeKey = () => Promise<KeyObject>;

const KEY_BITS = 2_048;
/** Nobody renews it: it lasts as long as the data folder. */
const CERTIFICATE_MS = 20 * 365 * 86_400_000;
const COMMON_NAME = "Lambent notifications";
/** Receivers' clocks may be behind. */
const SLACK_MS = 86_400_000;
/** The one key of a realm's table. */
const NAME = "signing";
const DIGESTS: Readonly<Record<SignatureVersion, string>> = { "1": "sha1", "2": "sha256" };

export interface SigningParts {
  readonly keys: RealmTables<KeptKey>;
  readonly cipher: Cipher;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly makeKey: MakeKey;
}

/** A new RSA key; the system's own chance, off the main thread. */
export async function makeRsaKey(): Promise<KeyObject> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: KEY_BITS });
  return privateKey;
}

export class Signing {
  readonly #parts: SigningParts;
  readonly #signers = new Map<string, Promise<Signer>>();

  constructor(parts: SigningParts) {
    this.#parts = parts;
  }

  /** Makes the realm's key at the first call there ever is. */
  signer(realm: Realm): Promise<Signer> {
    const key = realmKey(realm);
    const known = this.#signers.get(key);
    if (known) return known;
    const opening = this.#open(this.#parts.keys.of(realm));
    this.#signers.set(key, opening);
    opening.catch(() => this.#signers.delete(key));
    return opening;
  }

  /** The certificate of that key, PEM; undefined for a key nobody has. */
  certificate(keyId: string): string | undefined {
    for (const table of this.#parts.keys) {
      const kept = table.items.get(NAME);
      if (kept?.id === keyId) return kept.certificate;
    }
    return undefined;
  }

  async #open(table: RealmTable<KeptKey>): Promise<Signer> {
    const context = `topics/${realmKey(table.realm)}`;
    const kept = table.items.get(NAME);
    if (kept) {
      const pkcs8 = this.#parts.cipher.open(Buffer.from(kept.sealed, "base64"), context);
      return signerOf(kept.id, createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }));
    }
    const { cipher, clock, secureRandom, makeKey } = this.#parts;
    const privateKey = await makeKey();
    const now = clock.now();
    const serial = secureRandom.bytes(16);
    const made: KeptKey = {
      id: serial.toString("hex"),
      sealed: cipher.seal(privateKey.export({ format: "der", type: "pkcs8" }), context).toString("base64"),
      certificate: selfSignedCertificate(privateKey, {
        commonName: COMMON_NAME,
        serial,
        from: now - SLACK_MS,
        until: now + CERTIFICATE_MS,
      }),
      madeAt: now,
    };
    await table.put(NAME, made);
    return signerOf(made.id, privateKey);
  }
}

function signerOf(keyId: string, privateKey: KeyObject): Signer {
  return {
    keyId,
    sign: (text, version) =>
      new Promise((resolve, reject) => {
        sign(DIGESTS[version], Buffer.from(text), privateKey, (error, signature) =>
          error ? reject(error) : resolve(signature.toString("base64")),
        );
      }),
  };
}
