import { DEFAULT_REGION } from "../model/index.ts";
import type { SigningKey } from "../security/index.ts";
import { CommandFailure } from "./errors.ts";
import { readRunRecord, runFolderPath } from "./run-folder.ts";

/** Which server a command speaks to, and as whom. */
export interface Connection {
  /** Without a slash at the end. */
  readonly endpoint: string;
  readonly region: string;
  readonly key: SigningKey;
  /** Where the key came from, for error lines. */
  readonly keyFrom: "environment" | "run-time folder";
  /** The server's process as it left it in the run-time folder of this machine. */
  readonly pid?: number | undefined;
}

export interface ConnectionOptions {
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
}

export const DEFAULT_ENDPOINT = "http://127.0.0.1:4566";

/** `--endpoint`, then LAMBENT_ENDPOINT, then port 4566 of this machine. */
export function chooseEndpoint(options: ConnectionOptions, environment: NodeJS.ProcessEnv): string {
  const [text, from] = options.endpoint
    ? [options.endpoint, "--endpoint"]
    : [environment["LAMBENT_ENDPOINT"] || DEFAULT_ENDPOINT, "LAMBENT_ENDPOINT"];
  const url = URL.parse(text);
  if (url && (url.protocol === "http:" || url.protocol === "https:")) return url.origin;
  throw new CommandFailure(
    "usage",
    `${from} is ${JSON.stringify(text)}; it has to be an http:// or https:// address.`,
    `For example --endpoint ${DEFAULT_ENDPOINT}`,
  );
}

/**
 * The key: the AWS environment variables, then what `lambent start` left for this endpoint. Never a stored AWS
 * profile: those keys belong to a real account, and a request signed with one has no business here.
 */
export function connect(options: ConnectionOptions, environment: NodeJS.ProcessEnv): Connection {
  const endpoint = chooseEndpoint(options, environment);
  const record = readRunRecord(runFolderPath(environment), endpoint);
  const region = options.region || environment["AWS_REGION"] || environment["AWS_DEFAULT_REGION"] || record?.region || DEFAULT_REGION;
  const accessKeyId = environment["AWS_ACCESS_KEY_ID"];
  const secretAccessKey = environment["AWS_SECRET_ACCESS_KEY"];
  if (accessKeyId && secretAccessKey) {
    const key = { accessKeyId, secretAccessKey, sessionToken: environment["AWS_SESSION_TOKEN"] || undefined };
    return { endpoint, region, key, keyFrom: "environment", pid: record?.pid };
  }
  if (record) return { endpoint, region, key: record, keyFrom: "run-time folder", pid: record.pid };
  throw new CommandFailure(
    "unreachable",
    `No server of this user runs at ${endpoint}.`,
    "Start one with `lambent start`. For another's, set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to a key it knows.",
  );
}
