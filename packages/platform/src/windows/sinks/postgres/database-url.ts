/**
 * A database by its address, `postgres://user:password@host:5432/name?sslmode=verify-full`. Read here and not by `pg`, for whom an address may also name
 * files of this machine. What is wrong with one is said without repeating it: there is a password in it.
 */
import { LambentError } from "../../../base/index.ts";

export interface Database {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** `unverified`: encrypted, to whoever answers. */
  readonly tls: "off" | "unverified" | "verified";
}

const TLS: Readonly<Record<string, Database["tls"]>> = { disable: "off", require: "unverified", "verify-full": "verified" };
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/u;

/** Throws `InvalidParameter` that does not have the address in it. */
export function databaseOf(address: string): Database {
  if (!URL.canParse(address)) throw refused("is no address");
  const url = new URL(address);
  if (url.protocol !== "postgres:" && url.protocol !== "postgresql:") throw refused("does not begin with postgres://");
  if (url.hostname === "") throw refused("names no host");
  const { sslmode = LOOPBACK.test(url.hostname) ? "disable" : "verify-full", ...others } = Object.fromEntries(url.searchParams);
  const [other] = Object.keys(others);
  if (other !== undefined) throw refused(`has the parameter ${other.slice(0, 40)}; sslmode is the only one`);
  const tls = Object.hasOwn(TLS, sslmode) ? TLS[sslmode] : undefined;
  if (tls === undefined) throw refused(`has an sslmode that is none of ${Object.keys(TLS).join(", ")}`);
  const user = decoded(url.username);
  if (user === "") throw refused("names no user");
  return {
    host: url.hostname.replace(/^\[|\]$/gu, ""),
    port: Number(url.port || 5432),
    ...{ user, password: decoded(url.password), database: decoded(url.pathname.slice(1)) || user, tls },
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused("has a % that is not followed by two digits");
  }
}

function refused(what: string): LambentError {
  return new LambentError(
    "InvalidParameter",
    `The address of the database ${what}; it has the form postgres://user:password@host:5432/database.`,
  );
}
