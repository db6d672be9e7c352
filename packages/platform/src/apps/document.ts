import { createRequire } from "node:module";
import type * as Yaml from "yaml";
import { LambentError } from "../base/index.ts";
import schema from "./lambent.schema.json" with { type: "json" };
import { checkAgainst, type JsonSchema } from "./schema-check.ts";
import { NO_URL, PUBLIC_URL, type FunctionOptions, type UrlForm } from "./form.ts";

/** `lambent.yaml` as read: paths and guesses are not resolved yet, that is for whoever has the folder. */
export interface AppDocument {
  /** Undefined when the document names none; the folder's name is used then. */
  readonly app: string | undefined;
  readonly functions: readonly FunctionDeclaration[];
}

export interface FunctionDeclaration {
  readonly name: string;
  /** Relative to the document's folder. */
  readonly code: string;
  readonly runtime: string | undefined;
  readonly handler: string | undefined;
  readonly options: Partial<FunctionOptions>;
  readonly url: UrlForm;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

interface RawFunction {
  readonly code?: string;
  readonly runtime?: string;
  readonly handler?: string;
  readonly description?: string;
  readonly memory?: number;
  readonly timeout?: number | string;
  readonly tmp?: number;
  readonly environment?: Readonly<Record<string, string | number | boolean>>;
  readonly concurrency?: number;
  readonly style?: FunctionOptions["handlerStyle"];
  readonly role?: string;
  readonly url?: boolean | { readonly auth?: "NONE" | "AWS_IAM"; readonly stream?: boolean };
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
}

/** Characters of one document (P7). */
export const DOCUMENT_CHARACTERS_MAX = 262_144;
/** Anchors a document may repeat: a few are a convenience, thousands are a bomb (P8). */
const ALIASES_MAX = 64;

/**
 * Reads and checks a `lambent.yaml`. Throws `InvalidParameter` that names line or place, value and rule.
 */
export function parseAppDocument(text: string, fileName: string): AppDocument {
  if (text.length > DOCUMENT_CHARACTERS_MAX)
    throw new LambentError(
      "InvalidParameter",
      `${fileName} has ${text.length} characters; at most ${DOCUMENT_CHARACTERS_MAX} are allowed.`,
    );
  const value = readYaml(text, fileName);
  const complaints = checkAgainst(schema as unknown as JsonSchema, value);
  if (complaints.length > 0) throw new LambentError("InvalidParameter", `${fileName}: ${complaints.join(" ")}`);
  const raw = value as { readonly app?: string; readonly functions: Readonly<Record<string, RawFunction | null>> };
  return { app: raw.app, functions: Object.entries(raw.functions).map(([name, each]) => declaration(name, each ?? {})) };
}

/** Loaded with the first document: no server reads one, and the library is a tenth of what a start loads. */
const require = createRequire(import.meta.url);

function readYaml(text: string, fileName: string): unknown {
  const { parseDocument } = require("yaml") as typeof Yaml;
  const parsed = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
  const first = parsed.errors[0];
  if (first)
    throw new LambentError(
      "InvalidParameter",
      `${fileName} is not YAML: ${first.message.split("\n")[0]?.replace(/:$/u, "") ?? first.code}.`,
    );
  try {
    return parsed.toJS({ maxAliasCount: ALIASES_MAX });
  } catch (error) {
    throw new LambentError("InvalidParameter", `${fileName} cannot be read: ${(error as Error).message}.`);
  }
}

function declaration(name: string, raw: RawFunction): FunctionDeclaration {
  return {
    name,
    code: raw.code ?? ".",
    runtime: raw.runtime,
    handler: raw.handler,
    options: optionsOf(raw),
    url: urlOf(raw.url),
    include: raw.include ?? [],
    exclude: raw.exclude ?? [],
  };
}

function optionsOf(raw: RawFunction): Partial<FunctionOptions> {
  const environment = raw.environment && Object.fromEntries(Object.entries(raw.environment).map(([name, value]) => [name, String(value)]));
  return {
    ...(raw.description === undefined ? {} : { description: raw.description }),
    ...(raw.memory === undefined ? {} : { memoryMb: raw.memory }),
    ...(raw.timeout === undefined ? {} : { timeoutMs: timeoutMsOf(raw.timeout) }),
    ...(raw.tmp === undefined ? {} : { tmpMb: raw.tmp }),
    ...(environment === undefined ? {} : { environment }),
    ...(raw.concurrency === undefined ? {} : { concurrencyPerInstance: raw.concurrency }),
    ...(raw.style === undefined ? {} : { handlerStyle: raw.style }),
    ...(raw.role === undefined ? {} : { roleArn: raw.role }),
  };
}

/** `3`, `3s`, `2m`; the schema has checked the form. */
function timeoutMsOf(timeout: number | string): number {
  if (typeof timeout === "number") return timeout * 1_000;
  return Number.parseInt(timeout, 10) * (timeout.endsWith("m") ? 60_000 : 1_000);
}

/** A function has a public address unless the document says otherwise. */
function urlOf(url: RawFunction["url"]): UrlForm {
  if (url === undefined || url === true) return PUBLIC_URL;
  if (url === false) return NO_URL;
  return { kind: "url", auth: url.auth ?? "NONE", invokeMode: url.stream ? "RESPONSE_STREAM" : "BUFFERED" };
}
