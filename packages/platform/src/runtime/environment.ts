import type { FunctionVersion, RoleCredentials } from "../model/index.ts";
import type { InstanceAddresses, Places } from "../sandbox/index.ts";
import type { Language } from "./languages.ts";
import type { Initialization } from "./runtime.ts";

/** What a function finds in its environment. Pure: the same inputs, the same variables. */

export interface EnvironmentInput {
  readonly version: FunctionVersion;
  readonly initialization: Initialization;
  readonly language: Language;
  readonly credentials: RoleCredentials;
  readonly places: Places;
  readonly logStream: string;
  /** Folders with the programs of the runtime itself (`node`, `python3`), first in PATH. */
  readonly programFolders: readonly string[];
}

/** What every process gets at its start, whoever it will become: what acts only then. */
export function startEnvironment(places: Places, programFolders: readonly string[]): Record<string, string> {
  const { paths, listeners } = places;
  const environment: Record<string, string> = {
    PATH: [...programFolders, "/usr/local/bin", "/usr/bin", "/bin", `${paths.opt}/bin`].join(":"),
    HOME: paths.tmp,
    TMPDIR: paths.tmp,
    LANG: "en_US.UTF-8",
    TZ: ":UTC",
  };
  if (!listeners) return environment;
  const proxy = `http://${listeners.proxyAddress}`;
  const direct = "localhost,127.0.0.1,::1";
  return {
    ...environment,
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    NO_PROXY: direct,
    http_proxy: proxy,
    https_proxy: proxy,
    no_proxy: direct,
  };
}

/** The whole environment of a function: Lambda's variables, then the function's own, then those it cannot change. */
export function functionEnvironment(input: EnvironmentInput): Record<string, string> {
  const { version, places } = input;
  return {
    ...startEnvironment(places, input.programFolders),
    ...languageVariables(input),
    ...(places.listeners ? reachable(places.listeners) : {}),
    ...version.environment,
    ...reservedVariables(input),
  };
}

/** Where clients find the platform without being told. */
function reachable({ apiAddress, kafkaAddress }: InstanceAddresses): Record<string, string> {
  return { AWS_ENDPOINT_URL: `http://${apiAddress}`, KAFKA_BOOTSTRAP_SERVERS: kafkaAddress };
}

function languageVariables({ version, language, places: { paths, listeners } }: EnvironmentInput): Record<string, string> {
  const libraries = { LD_LIBRARY_PATH: `${paths.task}:${paths.task}/lib:${paths.opt}/lib` };
  if (language === "custom") return libraries;
  if (language === "python") return { PYTHONPATH: "/var/runtime", PYTHONUNBUFFERED: "1" };
  const major = /^nodejs(\d+)/.exec(version.runtime)?.[1] ?? "";
  // Node heeds the proxy variables only when told to.
  const useProxy: Record<string, string> = listeners ? { NODE_USE_ENV_PROXY: "1" } : {};
  const folders = [`${paths.opt}/nodejs/node${major}/node_modules`, `${paths.opt}/nodejs/node_modules`, "/node_modules", paths.task];
  return { ...useProxy, NODE_PATH: folders.join(":") };
}

function reservedVariables({
  version,
  initialization,
  language,
  credentials,
  places,
  logStream,
}: EnvironmentInput): Record<string, string> {
  const { region } = version.realm;
  return {
    _HANDLER: version.handler,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_ACCESS_KEY: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SECRET_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    AWS_EXECUTION_ENV: `AWS_Lambda_${version.runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: version.name,
    AWS_LAMBDA_FUNCTION_VERSION: version.version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(version.memoryMb),
    AWS_LAMBDA_INITIALIZATION_TYPE: initialization,
    AWS_LAMBDA_LOG_GROUP_NAME: version.logging.group,
    AWS_LAMBDA_LOG_STREAM_NAME: logStream,
    AWS_LAMBDA_LOG_FORMAT: version.logging.format,
    ...(version.logging.format === "JSON" ? { AWS_LAMBDA_LOG_LEVEL: version.logging.applicationLevel } : {}),
    ...(language === "custom" && places.listeners ? { AWS_LAMBDA_RUNTIME_API: places.listeners.runtimeApiAddress } : {}),
    LAMBDA_TASK_ROOT: places.paths.task,
    LAMBDA_RUNTIME_DIR: "/var/runtime",
  };
}

/** Variables that act when a process starts, so that a waiting one would not have heard of them. */
const ACTS_AT_START =
  /^(LD_|MALLOC_|GLIBC_|UV_|SSL_CERT_|OPENSSL_|NODE_(?!PATH$|ENV$)|PYTHON(?!PATH$|UNBUFFERED$)|AWS_LAMBDA_EXEC_WRAPPER$|PATH$|LANG$|LC_|NO_PROXY$|no_proxy$|HTTPS?_PROXY$|https?_proxy$)/;

/** True when the function's own variables need a process started with them (no pool, no zygote). */
export function actsAtStart(environment: Readonly<Record<string, string>>): boolean {
  return Object.keys(environment).some((name) => ACTS_AT_START.test(name));
}
