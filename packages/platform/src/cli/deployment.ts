import { existsSync, readFileSync, realpathSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import { parseAppDocument, type FunctionDeclaration, type FunctionOptions, type UrlForm } from "../apps/index.ts";
import type { DeployAppResponse, PlanAppRequest, PlanAppResponse, WantedFunctionShape } from "../api/index.ts";
import { LAMBENT_PATHS } from "./lambent-api.ts";
import type { Client } from "./client.ts";
import { CommandFailure } from "./errors.ts";
import { pack, type Packed } from "./packing/index.ts";
import { environmentOf, flowOf, wholeNumber, type SettingOptions } from "./settings.ts";
import { wiringShapes } from "./wiring-shapes.ts";

/** What is to be deployed, packed and described; nothing has been sent yet. */
export interface PreparedDeployment {
  readonly request: PlanAppRequest;
  readonly packed: ReadonlyMap<string, Packed>;
}

export interface DeployOptions extends SettingOptions {
  readonly name?: string;
  /** False with `--no-url`. */
  readonly url?: boolean;
  /** Takes over functions that came another way. */
  readonly adopt?: boolean;
}

/** What a document says of each of its functions. */
const SINGLE_ONLY = [
  ["name", "--name"],
  ["runtime", "--runtime"],
  ["handler", "--handler"],
  ["memory", "--memory"],
  ["timeout", "--timeout"],
  ["description", "--description"],
  ["role", "--role"],
  ["concurrency", "--concurrency"],
  ["async", "--async"],
  ["env", "--env"],
  ["envFile", "--env-file"],
] as const satisfies readonly (readonly [keyof DeployOptions, string])[];

interface Preparing {
  readonly environment: NodeJS.ProcessEnv;
  readonly note: (text: string) => void;
}

/** Reads `lambent.yaml` when the folder has one, else takes the path as one function; packs the code of each. */
export async function prepareDeployment(path: string, options: DeployOptions, preparing: Preparing): Promise<PreparedDeployment> {
  const document = documentPath(path);
  return document ? prepareApp(document, options, preparing) : prepareOne(path, options, preparing);
}

/** Asks the server what would change. */
export function planDeployment(client: Client, prepared: PreparedDeployment): Promise<PlanAppResponse> {
  return client.json({ service: "lambent", method: "POST", path: LAMBENT_PATHS.plan, body: prepared.request });
}

/** Sends what `plan` says has changed, and only the code that did. */
export function sendDeployment(client: Client, prepared: PreparedDeployment, plan: PlanAppResponse): Promise<DeployAppResponse> {
  const changed = new Set(
    plan.Changes.filter(({ Kind }) => Kind === "createFunction" || Kind === "updateCode").map((each) => each.FunctionName),
  );
  const archives = [...prepared.packed].filter(([name]) => changed.has(name)).map(([name, { zip }]) => [name, zip.toString("base64")]);
  return client.json({
    service: "lambent",
    method: "POST",
    path: LAMBENT_PATHS.deploy,
    body: { ...prepared.request, Archives: Object.fromEntries(archives) },
  });
}

function documentPath(path: string): string | undefined {
  if (/\.ya?ml$/u.test(path)) return resolve(path);
  return ["lambent.yaml", "lambent.yml"].map((name) => resolve(path, name)).find((each) => existsSync(each));
}

async function prepareApp(documentFile: string, options: DeployOptions, preparing: Preparing): Promise<PreparedDeployment> {
  const single = SINGLE_ONLY.filter(([name]) => options[name] !== undefined).map(([, flag]) => flag);
  if (single.length > 0)
    throw new CommandFailure(
      "usage",
      `${documentFile} says what each function is; ${single.join(", ")} ${single.length > 1 ? "are" : "is"} for single functions.`,
      "Change the document.",
    );
  const folder = resolve(documentFile, "..");
  const document = parseAppDocument(readDocument(documentFile), basename(documentFile));
  const packed = new Map<string, Packed>();
  const functions: WantedFunctionShape[] = [];
  for (const each of document.functions) {
    const made = await pack({
      ...preparing,
      path: join(folder, each.code),
      runtime: each.runtime,
      handler: each.handler,
      exclude: each.exclude,
      ...(each.include.length > 0 ? { include: each.include } : {}),
    });
    packed.set(each.name, made);
    functions.push(declaredShape(each, made, options.url !== false));
  }
  const request: PlanAppRequest = {
    App: document.app ?? functionNameOf(basename(folder), "Give one in the document: app: shop"),
    // Another folder of this name is another application.
    Origin: document.app === undefined ? realpathSync(folder) : undefined,
    Adopt: options.adopt,
    Functions: functions,
    ...wiringShapes(document),
  };
  return { request, packed };
}

function readDocument(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw new CommandFailure(
      "usage",
      `${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}.`,
      "Give a folder, a code file, a zip or a lambent.yaml.",
    );
  }
}

async function prepareOne(path: string, options: DeployOptions, preparing: Preparing): Promise<PreparedDeployment> {
  if (options.adopt)
    throw new CommandFailure(
      "usage",
      `${path} is a single function; --adopt is for applications, which a lambent.yaml describes.`,
      "Leave --adopt out.",
    );
  const made = await pack({ ...preparing, path, runtime: options.runtime, handler: options.handler });
  const whole = resolve(path);
  const name = options.name === undefined ? functionNameOf(basename(whole, extname(whole))) : checkedName(options.name);
  const settings: Partial<FunctionOptions> = optionsOf(options);
  const url: UrlForm = options.url === false ? { kind: "none" } : { kind: "url", auth: "NONE", invokeMode: "BUFFERED" };
  return { request: { Functions: [shapeOf(name, made, settings, url)] }, packed: new Map([[name, made]]) };
}

function declaredShape(each: FunctionDeclaration, made: Packed, urls: boolean): WantedFunctionShape {
  return shapeOf(each.name, made, each.options, urls ? each.url : { kind: "none" });
}

function shapeOf(name: string, made: Packed, options: Partial<FunctionOptions>, url: UrlForm): WantedFunctionShape {
  const style = options.handlerStyle ?? (made.style === "web" ? "web" : undefined);
  return {
    FunctionName: name,
    Runtime: made.runtime,
    Handler: made.handler,
    CodeSha256: made.sha256,
    Description: options.description,
    MemorySize: options.memoryMb,
    TimeoutMs: options.timeoutMs,
    TmpSize: options.tmpMb,
    Environment: options.environment,
    Concurrency: options.concurrencyPerInstance,
    Async: options.flow && asyncShape(options.flow),
    HandlerStyle: style,
    Role: options.roleArn,
    Url: url.kind === "none" ? { Mode: "OFF" } : { Mode: url.auth, InvokeMode: url.invokeMode },
  };
}

/** All of it: what is not given, or given empty, is not set then. */
function asyncShape(flow: FunctionOptions["flow"]): NonNullable<WantedFunctionShape["Async"]> {
  const { concurrency, rate, debounce, priority, idempotency } = Object.fromEntries(
    Object.entries(flow).filter(([, value]) => value !== ""),
  ) as FunctionOptions["flow"];
  return { Concurrency: concurrency, Rate: rate, Debounce: debounce, Priority: priority, Idempotency: idempotency };
}

function optionsOf(options: DeployOptions): Partial<FunctionOptions> {
  const timeout = wholeNumber(options.timeout, "--timeout", 1, 900);
  const all = {
    description: options.description,
    memoryMb: wholeNumber(options.memory, "--memory", 128, 10_240),
    timeoutMs: timeout === undefined ? undefined : timeout * 1_000,
    concurrencyPerInstance: wholeNumber(options.concurrency, "--concurrency", 1, 1_000),
    environment: environmentOf(options),
    flow: flowOf(options),
    roleArn: options.role,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Partial<FunctionOptions>;
}

function checkedName(name: string): string {
  if (/^[A-Za-z0-9_-]{1,64}$/u.test(name)) return name;
  throw new CommandFailure(
    "usage",
    `--name is ${JSON.stringify(name)}; it has to be 1 to 64 letters, digits, - and _.`,
    "For example --name hello",
  );
}

/**
 * A file's or folder's name as a function's: marks and spaces become -. A letter that names do not have is refused, not
 * dropped: nobody finds `über` again as `ber`.
 */
export function functionNameOf(name: string, remedy = "Give one: --name hello"): string {
  const cleaned = name
    .normalize("NFC")
    .replaceAll(/[^\p{L}\p{N}_-]+/gu, "-")
    .replaceAll(/^-+|-+$/gu, "")
    .slice(0, 64);
  if (/^[A-Za-z0-9_-]+$/u.test(cleaned)) return cleaned;
  throw new CommandFailure(
    "usage",
    `No name can be made of ${JSON.stringify(name)}: it takes the letters a to z, digits, - and _.`,
    remedy,
  );
}
