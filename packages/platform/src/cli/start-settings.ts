import { existsSync } from "node:fs";
import { isIP } from "node:net";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { GivenRootKey, OpenedDestination } from "../security/index.ts";
import { CommandFailure } from "./errors.ts";

/** Options of `start` that are more than a word: what is opened to functions, and keys. */

export function openedDestinations(options: {
  readonly allowHostPort?: readonly string[];
  readonly allowNetwork?: readonly string[];
}): OpenedDestination[] {
  return [...(options.allowHostPort ?? []).map(hostPort), ...(options.allowNetwork ?? []).map(network)];
}

function hostPort(text: string): OpenedDestination {
  const found = /^(?:(.+):)?(\d{1,5})$/u.exec(text);
  const port = Number(found?.[2]);
  if (found && port >= 1 && port <= 65_535) return { kind: "hostPort", host: (found[1] ?? "127.0.0.1").replace(/^\[(.*)\]$/u, "$1"), port };
  throw new CommandFailure(
    "usage",
    `--allow-host-port is ${JSON.stringify(text)}; it has to be a port, or host:port.`,
    "For example --allow-host-port 127.0.0.1:5432",
  );
}

function network(text: string): OpenedDestination {
  const [address = "", prefixText = ""] = text.split("/");
  const family = isIP(address);
  const prefix = /^\d{1,3}$/u.test(prefixText) ? Number(prefixText) : Number.NaN;
  if (family !== 0 && prefix <= (family === 4 ? 32 : 128)) return { kind: "network", address, prefix };
  throw new CommandFailure(
    "usage",
    `--allow-network is ${JSON.stringify(text)}; it has to be an address with its length.`,
    "For example --allow-network 10.0.0.0/8",
  );
}

/** A number above 0 and at most 1; undefined when none was given. */
export function factor(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{0,9}(\.\d{1,9})?$/u.test(text) ? Number(text) : Number.NaN;
  if (value > 0 && value <= 1) return value;
  throw new CommandFailure(
    "usage",
    `${option} is ${JSON.stringify(text)}; it has to be a number above 0 and at most 1.`,
    `For example ${option}${option.startsWith("--") ? " " : "="}0.01`,
  );
}

/** The root key of the environment, in place of the data folder's own. Its rules are security's. */
export function rootKeyOf(environment: NodeJS.ProcessEnv): GivenRootKey | undefined {
  const accessKeyId = environment["LAMBENT_ROOT_ACCESS_KEY_ID"];
  const secretAccessKey = environment["LAMBENT_ROOT_SECRET_ACCESS_KEY"];
  if (!accessKeyId && !secretAccessKey) return undefined;
  if (accessKeyId && secretAccessKey) return { accessKeyId, secretAccessKey };
  const names = ["LAMBENT_ROOT_ACCESS_KEY_ID", "LAMBENT_ROOT_SECRET_ACCESS_KEY"];
  const [given, missing] = accessKeyId ? names : names.toReversed();
  throw new CommandFailure(
    "usage",
    `${given} is set and ${missing} is not: a root key is both.`,
    "Set both, or neither for the data folder's own.",
  );
}

/** Where Python is looked for: the environment that set-up makes for functions, then the machine's own. */
export function searchPath(environment: NodeJS.ProcessEnv): string {
  const made = fileURLToPath(new URL("../../../../.lambent/python", import.meta.url));
  // The mark is written last: an environment without it lacks packages.
  const isWhole = existsSync(join(made, ".lambent-requirements"));
  return [...(isWhole ? [join(made, "bin")] : []), environment["PATH"] ?? ""].join(delimiter);
}

/** `node_modules` with the AWS SDK that functions find: the repository's, or what the installed package brings. */
export function sdkTree(): string | undefined {
  const places = ["../../../function-sdk/node_modules", "../../node_modules/lambent-function-sdk/node_modules"];
  const candidates = places.map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return candidates.find((path) => existsSync(`${path}/@aws-sdk/client-lambda`));
}
