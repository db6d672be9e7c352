import { hkdfSync } from "node:crypto";
import { chmodSync, closeSync, fsyncSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LambentError, type SecureRandom } from "../base/index.ts";
import { DEFAULT_ACCOUNT } from "../model/index.ts";
import { uniqueId } from "./principal.ts";

/**
 * Variables of the server's environment that may be named as a secret's place by whoever declares a window or maps a topic: those that are meant
 * for it. Nothing else of the environment is theirs.
 */
export const SECRET_VARIABLE = /^LAMBENT_SECRET_[A-Z0-9_]{1,100}$/u;

/**
 * The secrets of a data folder: `root-key` (who may do everything) and `cipher-key` (what is sealed at rest, and session tokens).
 * Both are made at the first start and readable by their owner alone.
 */
export interface RootKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Twelve digits. */
  readonly account: string;
}

export interface Secrets {
  /** The folder's own root key; in force unless a given one takes its place. */
  readonly rootKey: RootKey;
  /** 32 bytes for `createCipher`. */
  readonly cipherKey: Buffer;
  /** 32 bytes for `createCredentials`. */
  readonly tokenKey: Buffer;
}

/** Keys that other tool chains carry; taken on loopback with `--auth well-known` only. */
export const WELL_KNOWN_ROOT_KEYS: readonly RootKey[] = [
  { accessKeyId: "lambent", secretAccessKey: "lambent", account: DEFAULT_ACCOUNT },
  { accessKeyId: "test", secretAccessKey: "test", account: DEFAULT_ACCOUNT },
];

/** The secrets of the data folder, made when absent. Throws `DataFolderUnusable` when a file is there and not usable. */
export function openSecrets(dataFolder: string, secureRandom: SecureRandom): Secrets {
  const rootPath = join(dataFolder, "root-key");
  const cipherPath = join(dataFolder, "cipher-key");
  const rootText = readOrCreate(rootPath, () => `${JSON.stringify(freshRootKey(secureRandom), undefined, 2)}\n`);
  const cipherText = readOrCreate(cipherPath, () => `${secureRandom.bytes(32).toString("base64")}\n`).trim();
  const seed = Buffer.from(cipherText, "base64");
  if (seed.byteLength !== 32 || seed.toString("base64") !== cipherText) throw unusable(cipherPath, "does not hold 32 bytes in base64");
  return { rootKey: readRootKey(rootText, rootPath), ...keysFrom(seed) };
}

/** Secrets that live as long as the process, for a server without a data folder. */
export function ephemeralSecrets(secureRandom: SecureRandom): Secrets {
  return { rootKey: freshRootKey(secureRandom), ...keysFrom(secureRandom.bytes(32)) };
}

// Separate keys for separate uses, so that what one use reveals says nothing about the other.
function keysFrom(seed: Buffer): Pick<Secrets, "cipherKey" | "tokenKey"> {
  const derive = (purpose: string): Buffer => Buffer.from(hkdfSync("sha256", seed, "", purpose, 32));
  return { cipherKey: derive("lambent cipher 1"), tokenKey: derive("lambent session tokens 1") };
}

function freshRootKey(secureRandom: SecureRandom): RootKey {
  return {
    accessKeyId: uniqueId("AKIA", secureRandom.bytes(10)),
    secretAccessKey: secureRandom.bytes(30).toString("base64"),
    account: DEFAULT_ACCOUNT,
  };
}

function readOrCreate(path: string, make: () => string): string {
  try {
    const text = readFileSync(path, "utf8");
    // A folder copied from elsewhere may have lost the mode; others must not read what lets them do everything.
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600);
    return text;
  } catch (error) {
    if (!isNodeError(error, "ENOENT")) throw unusable(path, `cannot be read: ${messageOf(error)}`);
  }
  const text = make();
  createWhole(path, text);
  return text;
}

/** Writes beside, syncs, then renames into place: the file is absent or whole. The folder's lock keeps other writers out. */
function createWhole(path: string, text: string): void {
  const temporary = `${path}.new`;
  try {
    const descriptor = openSync(temporary, "w", 0o600);
    try {
      writeFileSync(descriptor, text);
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, path);
  } catch (error) {
    throw unusable(path, `cannot be written: ${messageOf(error)}`);
  }
}

function readRootKey(text: string, path: string): RootKey {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unusable(path, "is not JSON");
  }
  const { accessKeyId, secretAccessKey, account } = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
  if (typeof accessKeyId !== "string" || typeof secretAccessKey !== "string" || typeof account !== "string") {
    throw unusable(path, "does not hold accessKeyId, secretAccessKey and account");
  }
  const key = { accessKeyId, secretAccessKey, account };
  const fault = faultOf(key);
  if (fault !== undefined) throw unusable(path, fault);
  return key;
}

/** A root key as configuration gives it. */
export interface GivenRootKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly account?: string | undefined;
}

export interface RootKeyChoice {
  readonly secrets: Secrets;
  readonly given: GivenRootKey | undefined;
  /** `--auth well-known`. */
  readonly wellKnown: boolean;
  /** True when the server listens on loopback addresses only. */
  readonly loopback: boolean;
}

/** Shortest secret of a given root key: the folder's own has 40. */
const GIVEN_SECRET_CHARACTERS_MIN = 16;

/**
 * The root keys in force: the given one, else the folder's own; beside it the well-known ones when asked for.
 * Throws `InvalidParameter` for well-known keys or no given key off loopback, and for a given key that is malformed.
 */
export function chooseRootKeys(choice: RootKeyChoice): readonly [RootKey, ...RootKey[]] {
  const { given, loopback, wellKnown } = choice;
  if (!loopback && wellKnown)
    throw new LambentError("InvalidParameter", "--auth well-known is for loopback addresses only: everybody knows these keys.");
  if (!loopback && given === undefined) {
    throw new LambentError(
      "InvalidParameter",
      "Off loopback a root key has to be given: set LAMBENT_ROOT_ACCESS_KEY_ID and LAMBENT_ROOT_SECRET_ACCESS_KEY.",
    );
  }
  const first = given === undefined ? choice.secrets.rootKey : checkGiven(given);
  return [first, ...(wellKnown ? WELL_KNOWN_ROOT_KEYS.filter((key) => key.accessKeyId !== first.accessKeyId) : [])];
}

function checkGiven(given: GivenRootKey): RootKey {
  const key = { accessKeyId: given.accessKeyId, secretAccessKey: given.secretAccessKey, account: given.account ?? DEFAULT_ACCOUNT };
  const fault = faultOf(key);
  if (fault !== undefined) throw new LambentError("InvalidParameter", `The given root key ${fault}.`);
  if (key.secretAccessKey.length < GIVEN_SECRET_CHARACTERS_MIN) {
    throw new LambentError(
      "InvalidParameter",
      `The given root key's secret has ${key.secretAccessKey.length} characters; at least ${GIVEN_SECRET_CHARACTERS_MIN} are needed.`,
    );
  }
  return key;
}

function faultOf(key: RootKey): string | undefined {
  if (!/^[\w-]{3,128}$/.test(key.accessKeyId)) return "has an access key id that is not 3 to 128 letters, digits, _ or -";
  if (!/^[\x21-\x7e]{1,256}$/.test(key.secretAccessKey)) return "has a secret that is not 1 to 256 printable characters";
  if (!/^\d{12}$/.test(key.account)) return "has an account that is not twelve digits";
  return undefined;
}

function unusable(path: string, what: string): LambentError {
  return new LambentError("DataFolderUnusable", `${path} ${what}.`);
}

function isNodeError(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
