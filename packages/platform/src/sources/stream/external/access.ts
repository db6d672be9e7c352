/**
 * How a mapping signs in with brokers that are not this server's: AWS's `SourceAccessConfigurations`, whose URIs name variables of the server's
 * environment, as there is no Secrets Manager here. A variable has the JSON that the secret has on AWS.
 */
import { LambentError } from "../../../base/index.ts";
import { SECRET_VARIABLE } from "../../../security/index.ts";
import type { KafkaAccess } from "../../mappings/mapping.ts";

/** Access configurations of one mapping. @limit */
const ACCESS_MAX = 22;
const IN_ENVIRONMENT = "env:";
const MECHANISMS: Readonly<Record<string, SignIn["mechanism"]>> = {
  BASIC_AUTH: "PLAIN",
  SASL_SCRAM_256_AUTH: "SCRAM-SHA-256",
  SASL_SCRAM_512_AUTH: "SCRAM-SHA-512",
};
const AUTHORITY = "SERVER_ROOT_CA_CERTIFICATE";
/** Where AWS's own pollers stand: here there are none to be placed. */
const PLACES: ReadonlySet<string> = new Set(["VPC_SUBNET", "VPC_SECURITY_GROUP"]);
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/u;

export interface SignIn {
  readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
  readonly username: string;
  readonly password: string;
}

/** What a connection is made with. */
export interface OpenedAccess {
  readonly signIn: SignIn | undefined;
  /** PEM. */
  readonly authority: string | undefined;
}

/** Throws `InvalidParameter` or `NotImplemented` that names type and rule. */
export function checkAccess(access: readonly KafkaAccess[]): void {
  if (access.length > ACCESS_MAX)
    throw refused(`SourceAccessConfigurations has ${access.length} entries; at most ${ACCESS_MAX} are allowed.`);
  for (const { type, uri } of access) {
    if (PLACES.has(type)) continue;
    if (!Object.hasOwn(MECHANISMS, type) && type !== AUTHORITY)
      throw new LambentError(
        "NotImplemented",
        `The source access type ${type.slice(0, 64)} is not built in Lambent; ${[...Object.keys(MECHANISMS), AUTHORITY].join(", ")} are.`,
      );
    if (!uri.startsWith(IN_ENVIRONMENT) || !SECRET_VARIABLE.test(uri.slice(IN_ENVIRONMENT.length)))
      throw refused(
        `The URI of ${type} is ${uri.slice(0, 200)}; here it names a variable of the server's environment, env: and a name that begins with LAMBENT_SECRET_.`,
      );
  }
  if (access.filter(({ type }) => Object.hasOwn(MECHANISMS, type)).length > 1)
    throw refused("SourceAccessConfigurations has more than one way to sign in.");
}

/** Reads the variables as they are now. Throws `InvalidParameter` for one that is not set or not in its form; what it has is not repeated. */
export function openAccess(access: readonly KafkaAccess[], environment: (variable: string) => string | undefined): OpenedAccess {
  let signIn: SignIn | undefined;
  let authority: string | undefined;
  for (const { type, uri } of access) {
    if (PLACES.has(type)) continue;
    const variable = uri.slice(IN_ENVIRONMENT.length);
    const { username, password, certificate } = secretOf(variable, environment(variable));
    const mechanism = MECHANISMS[type];
    if (mechanism === undefined) authority = text(certificate, variable, "certificate");
    else signIn = { mechanism, username: text(username, variable, "username"), password: text(password, variable, "password") };
  }
  return { signIn, authority };
}

/** A password goes over an encrypted connection, and to this machine as it is. */
export function isEncrypted({ signIn, authority }: OpenedAccess, host: string): boolean {
  return authority !== undefined || (signIn !== undefined && !LOOPBACK.test(host));
}

function secretOf(variable: string, value: string | undefined): Readonly<Record<string, unknown>> {
  if (value === undefined || value === "") throw refused(`The variable ${variable} is not set in the environment of the server.`);
  try {
    const secret = JSON.parse(value) as unknown;
    if (typeof secret === "object" && secret !== null) return secret as Readonly<Record<string, unknown>>;
  } catch {
    // Said below, without what was found.
  }
  throw refused(`The variable ${variable} is no JSON object.`);
}

function text(given: unknown, variable: string, member: string): string {
  if (typeof given === "string" && given !== "") return given;
  throw refused(`The JSON in the variable ${variable} has no text ${member}.`);
}

function refused(message: string): LambentError {
  return new LambentError("InvalidParameter", message);
}
