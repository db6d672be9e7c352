import { LambentError } from "../../base/index.ts";
import type { FunctionSettings, HandlerStyle, LayerReference, LoggingSettings } from "../../model/index.ts";
import { checkEnvironment } from "./environment.ts";
import {
  CODE_UNPACKED_BYTES_MAX,
  DESCRIPTION_LENGTH_MAX,
  FUNCTION_NAME_LENGTH_MAX,
  HANDLER_LENGTH_MAX,
  LAYERS_PER_FUNCTION_MAX,
  MEMORY_MB_MAX,
  MEMORY_MB_MIN,
  TIMEOUT_MS_MAX,
  TIMEOUT_MS_MIN,
  TMP_MB_MAX,
  TMP_MB_MIN,
} from "./limits.ts";
import { RUNTIME_IDS, RUNTIMES_TEXT } from "./runtimes.ts";

/** What a person may say of a function; what is left out keeps its value, or gets the default when the function is new. */
export interface SettingsInput {
  readonly description?: string | undefined;
  readonly runtime?: string | undefined;
  readonly handler?: string | undefined;
  readonly roleArn?: string | undefined;
  readonly memoryMb?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly tmpMb?: number | undefined;
  readonly environment?: Readonly<Record<string, string>> | undefined;
  readonly architecture?: FunctionSettings["architecture"] | undefined;
  readonly logging?: Partial<LoggingSettings> | undefined;
  readonly tracing?: FunctionSettings["tracing"] | undefined;
  /** An empty text removes it. */
  readonly deadLetterArn?: string | undefined;
}

/** Settings that come from elsewhere: layers are looked up, the last two are tags (`rules/tags.ts`). */
export interface ResolvedSettings {
  readonly layers: readonly LayerReference[];
  readonly concurrencyPerInstance: number;
  readonly handlerStyle: HandlerStyle;
}

const ROLE = /^arn:aws[a-zA-Z-]*:iam::\d{12}:role\/?[a-zA-Z_0-9+=,.@\-_/]+$/;
const ARN = /^arn:aws[a-zA-Z-]*:[a-z0-9-.]+:.*$/;
const LOG_GROUP = /^[.\-_/#A-Za-z0-9]{1,512}$/;

/** Throws `InvalidParameter` when `name` cannot be a function's. */
export function requireFunctionName(name: string): void {
  if (name.length > FUNCTION_NAME_LENGTH_MAX || !/^[a-zA-Z0-9-_]+$/.test(name)) {
    invalid(`FunctionName is ${JSON.stringify(name.slice(0, 200))}; it is 1 to ${FUNCTION_NAME_LENGTH_MAX} letters, digits, - and _.`);
  }
}

/** The settings of a new function. Throws `InvalidParameter` naming value and rule. */
export function newSettings(name: string, input: SettingsInput, resolved: ResolvedSettings): FunctionSettings {
  if (input.runtime === undefined || input.handler === undefined) {
    invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.");
  }
  const defaults: FunctionSettings = {
    description: "",
    runtime: input.runtime,
    handler: input.handler,
    roleArn: input.roleArn ?? invalid("Role is missing; a function has the ARN of a role."),
    memoryMb: MEMORY_MB_MIN,
    timeoutMs: 3_000,
    tmpMb: TMP_MB_MIN,
    environment: {},
    architecture: "x86_64",
    logging: { format: "Text", applicationLevel: "INFO", systemLevel: "INFO", group: `/aws/lambda/${name}` },
    tracing: "PassThrough",
    deadLetterArn: undefined,
    ...resolved,
  };
  return changedSettings(defaults, input, resolved);
}

/** `before` with what `input` says. Throws `InvalidParameter` naming value and rule. */
export function changedSettings(before: FunctionSettings, input: SettingsInput, resolved: ResolvedSettings): FunctionSettings {
  const after: FunctionSettings = {
    description: input.description ?? before.description,
    runtime: input.runtime ?? before.runtime,
    handler: input.handler ?? before.handler,
    roleArn: input.roleArn ?? before.roleArn,
    memoryMb: input.memoryMb ?? before.memoryMb,
    timeoutMs: input.timeoutMs ?? before.timeoutMs,
    tmpMb: input.tmpMb ?? before.tmpMb,
    environment: input.environment ?? before.environment,
    architecture: input.architecture ?? before.architecture,
    logging: { ...before.logging, ...definedOnly(input.logging ?? {}) },
    tracing: input.tracing ?? before.tracing,
    deadLetterArn: input.deadLetterArn === "" ? undefined : (input.deadLetterArn ?? before.deadLetterArn),
    ...resolved,
  };
  checkSettings(after);
  return after;
}

/** The settings of a version alone, for comparing and for taking over. */
export function settingsOf(version: FunctionSettings): FunctionSettings {
  const { description, runtime, handler, roleArn, memoryMb, timeoutMs, tmpMb, environment, layers, architecture } = version;
  const { logging, concurrencyPerInstance, handlerStyle, tracing, deadLetterArn } = version;
  return {
    ...{ description, runtime, handler, roleArn, memoryMb, timeoutMs, tmpMb, environment, layers, architecture },
    ...{ logging, concurrencyPerInstance, handlerStyle, tracing, deadLetterArn },
  };
}

/** Code and layers share one bound, as they share the instance's disk. Throws `InvalidParameter`. */
export function requireFits(codeBytes: number, layers: readonly LayerReference[]): void {
  const bytes = layers.reduce((sum, layer) => sum + layer.code.unpackedBytes, codeBytes);
  if (bytes > CODE_UNPACKED_BYTES_MAX) {
    invalid(
      `Function code combined with layers exceeds the maximum allowed size of ${CODE_UNPACKED_BYTES_MAX} bytes. The actual size is ${bytes} bytes.`,
    );
  }
}

/** Throws `InvalidParameter` when there are too many layers or one is named twice. */
export function requireLayerList(arns: readonly string[]): void {
  if (arns.length > LAYERS_PER_FUNCTION_MAX)
    invalid(`Layers has ${arns.length} entries; a function uses at most ${LAYERS_PER_FUNCTION_MAX}.`);
  const bases = arns.map((arn) => arn.replace(/:\d+$/, ""));
  if (new Set(bases).size < bases.length) invalid("Layers names two versions of one layer; a function uses one of each.");
}

function checkSettings(settings: FunctionSettings): void {
  if (!RUNTIME_IDS.has(settings.runtime)) invalid(`Runtime is ${settings.runtime}; Lambent runs ${RUNTIMES_TEXT}.`);
  if (settings.handler.length > HANDLER_LENGTH_MAX || !/^\S+$/.test(settings.handler)) {
    invalid(
      `Handler is ${JSON.stringify(settings.handler.slice(0, 200))}; it is 1 to ${HANDLER_LENGTH_MAX} characters without white space.`,
    );
  }
  if (!ROLE.test(settings.roleArn))
    invalid(`Role is ${JSON.stringify(settings.roleArn.slice(0, 200))}; it is an ARN like arn:aws:iam::000000000000:role/name.`);
  if (settings.description.length > DESCRIPTION_LENGTH_MAX)
    invalid(`Description has ${settings.description.length} characters; at most ${DESCRIPTION_LENGTH_MAX} are allowed.`);
  requireWithin("MemorySize", settings.memoryMb, MEMORY_MB_MIN, MEMORY_MB_MAX, "MB");
  requireWithin("Timeout", settings.timeoutMs / 1_000, TIMEOUT_MS_MIN / 1_000, TIMEOUT_MS_MAX / 1_000, "seconds");
  requireWithin("EphemeralStorage.Size", settings.tmpMb, TMP_MB_MIN, TMP_MB_MAX, "MB");
  checkEnvironment(settings.environment);
  if (!LOG_GROUP.test(settings.logging.group)) invalid("LoggingConfig.LogGroup is not 1 to 512 letters, digits, and . - _ / #.");
  if (settings.deadLetterArn !== undefined && !ARN.test(settings.deadLetterArn))
    invalid(`DeadLetterConfig.TargetArn is ${JSON.stringify(settings.deadLetterArn.slice(0, 200))}; it is an ARN.`);
}

function requireWithin(name: string, value: number, min: number, max: number, unit: string): void {
  if (!Number.isInteger(value) || value < min || value > max)
    invalid(`${name} is ${value}; it is a whole number of ${unit} from ${min} to ${max}.`);
}

function definedOnly<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>;
}

function invalid(message: string): never {
  throw new LambentError("InvalidParameter", message);
}
