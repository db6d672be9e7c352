/**
 * The certificate that goes with a signing key: X.509 version 3, signed by itself, in the DER encoding that verifiers read. Node reads
 * certificates and makes none, and this is all of the format that one of our own needs (docs/decisions/0018).
 * @see RFC 5280, section 4.1; ITU-T X.690
 */
import { createPublicKey, type KeyObject, sign } from "node:crypto";
import type { Instant } from "../base/index.ts";

export interface CertificateClaim {
  /** Common name of subject and issuer. */
  readonly commonName: string;
  /** Sixteen bytes that no other certificate has. */
  readonly serial: Uint8Array;
  readonly from: Instant;
  readonly until: Instant;
}

/** A certificate of `privateKey`'s public half, as PEM text. */
export function selfSignedCertificate(privateKey: KeyObject, claim: CertificateClaim): string {
  const signed = certificateBody(createPublicKey(privateKey), claim);
  const signature = sign("sha256", signed, privateKey);
  const certificate = sequence(signed, SHA256_WITH_RSA, bitString(signature));
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}

function certificateBody(publicKey: KeyObject, { commonName, serial, from, until }: CertificateClaim): Buffer {
  const name = sequence(set(sequence(COMMON_NAME, encoded(UTF8_STRING, Buffer.from(commonName)))));
  return sequence(
    encoded(VERSION_TAG, VERSION_3),
    encoded(INTEGER, positive(serial)),
    SHA256_WITH_RSA,
    name,
    sequence(time(from), time(until)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
  );
}

const [INTEGER, BIT_STRING, OBJECT_ID, UTF8_STRING] = [0x02, 0x03, 0x06, 0x0c];
const [UTC_TIME, GENERALIZED_TIME, SEQUENCE, SET] = [0x17, 0x18, 0x30, 0x31];
const VERSION_TAG = 0xa0;
const VERSION_3 = encoded(INTEGER, Buffer.of(2));
/** 1.2.840.113549.1.1.11 without parameters. */
const SHA256_WITH_RSA = sequence(
  encoded(OBJECT_ID, Buffer.of(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b)),
  Buffer.of(0x05, 0x00),
);
/** 2.5.4.3 */
const COMMON_NAME = encoded(OBJECT_ID, Buffer.of(0x55, 0x04, 0x03));

/** Tag, length, content; a length above 127 says first how many bytes it has. */
function encoded(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), content]);
  const digits = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, "0"), "hex");
  return Buffer.concat([Buffer.of(tag, 0x80 + digits.length), digits, content]);
}

function sequence(...parts: readonly Uint8Array[]): Buffer {
  return encoded(SEQUENCE, Buffer.concat(parts));
}

function set(...parts: readonly Uint8Array[]): Buffer {
  return encoded(SET, Buffer.concat(parts));
}

/** No bits of the last byte are unused. */
function bitString(bytes: Uint8Array): Buffer {
  return encoded(BIT_STRING, Buffer.concat([Buffer.of(0), bytes]));
}

/** A first byte from 1 to 127: the number is neither negative nor has it leading zeros. */
function positive(bytes: Uint8Array): Buffer {
  const number = Buffer.from(bytes);
  number[0] = ((number[0] ?? 0) & 0x3f) | 0x40;
  return number;
}

/** Years up to 2049 belong into the shorter form. */
function time(at: Instant): Buffer {
  const digits = new Date(at).toISOString().replace(/[-:T]|\.\d+/g, "");
  return Number(digits.slice(0, 4)) < 2050
    ? encoded(UTC_TIME, Buffer.from(digits.slice(2)))
    : encoded(GENERALIZED_TIME, Buffer.from(digits));
}
