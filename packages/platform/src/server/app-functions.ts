import type { AppFunctions, CurrentFunction, SettingsChange, UrlForm } from "../apps/index.ts";
import { isLambentError, LambentError } from "../base/index.ts";
import { CONCURRENCY_TAG, FLOW_TAGS, functionArn, type Functions, HANDLER_STYLE_TAG, type ResourceStatement } from "../functions/index.ts";
import type { Realm } from "../model/index.ts";

/** Joins `apps/` to `functions/`: an application's form in terms of the registry's own changes. */
export function createAppFunctions(functions: Functions): AppFunctions {
  return {
    current: async (realm, name) => currentOf(functions, realm, name),
    async create(realm, wanted, zip) {
      await functions.lifecycle.create(realm, { name: wanted.name, ...settingsOf(wanted), zip, tags: tagsOf(wanted.options) });
      await requireReady(functions, realm, wanted.name);
    },
    async updateSettings(realm, name, settings) {
      await functions.lifecycle.changeTags(realm, name, tagsOf(settings.options), flowTagsToRemove(settings.options));
      await functions.lifecycle.updateConfiguration(realm, name, settingsOf(settings));
      await requireReady(functions, realm, name);
    },
    async updateCode(realm, name, zip) {
      await functions.lifecycle.updateCode(realm, name, { zip });
      await requireReady(functions, realm, name);
    },
    setUrl: (realm, name, url) => setUrl(functions, realm, name, url),
    async removeUrl(realm, name) {
      await functions.urls.remove(realm, name, undefined);
      await removePublicStatements(functions, realm, name);
    },
    remove: (realm, name) => functions.lifecycle.remove(realm, name, undefined),
  };
}

/** Waits for the change to be in force. Throws `InvalidCode` with what kept it from that. */
async function requireReady(functions: Functions, realm: Realm, name: string): Promise<void> {
  await functions.lifecycle.ready(realm, name);
  const { state, update } = functions.reading.get(realm, name, undefined);
  if (state.kind === "failed") throw new LambentError("InvalidCode", `Function ${name} cannot be made ready: ${state.reason}`);
  if (update.kind === "failed") throw new LambentError("InvalidCode", `Function ${name} stays as it was: ${update.reason}`);
}

type Options = Partial<CurrentFunction["options"]>;

function settingsOf({ runtime, handler, options }: SettingsChange) {
  const { description, roleArn, memoryMb, timeoutMs, tmpMb, environment } = options;
  return { runtime, handler, description, roleArn, memoryMb, timeoutMs, tmpMb, environment };
}

/** The settings that AWS has no member for travel as tags (docs/decisions/0008-settings-as-tags.md). */
function tagsOf({ concurrencyPerInstance, handlerStyle, flow }: Options): Record<string, string> {
  const flowTags = FLOW_NAMES.flatMap((name) => {
    const value = flow?.[name];
    return value === undefined ? [] : [[FLOW_TAGS[name], value] as const];
  });
  return {
    ...Object.fromEntries(flowTags),
    ...(concurrencyPerInstance === undefined ? {} : { [CONCURRENCY_TAG]: String(concurrencyPerInstance) }),
    ...(handlerStyle === undefined ? {} : { [HANDLER_STYLE_TAG]: handlerStyle }),
  };
}

const FLOW_NAMES = Object.keys(FLOW_TAGS) as (keyof typeof FLOW_TAGS)[];

/** Flow control is given as a whole: what is not in it goes. */
function flowTagsToRemove({ flow }: Options): string[] {
  return flow ? FLOW_NAMES.filter((name) => flow[name] === undefined).map((name) => FLOW_TAGS[name]) : [];
}

function flowOf(functions: Functions, realm: Realm, name: string): CurrentFunction["options"]["flow"] {
  const { tags } = functions.reading.details(realm, name);
  return Object.fromEntries(FLOW_NAMES.flatMap((each) => (tags[FLOW_TAGS[each]] === undefined ? [] : [[each, tags[FLOW_TAGS[each]]]])));
}

function currentOf(functions: Functions, realm: Realm, name: string): CurrentFunction | undefined {
  const view = orUndefined(() => functions.reading.get(realm, name, undefined));
  if (!view) return undefined;
  const { version } = view;
  return {
    name,
    runtime: version.runtime,
    handler: version.handler,
    codeSha256: version.code.sha256,
    options: {
      description: version.description,
      memoryMb: version.memoryMb,
      timeoutMs: version.timeoutMs,
      tmpMb: version.tmpMb,
      environment: version.environment,
      concurrencyPerInstance: version.concurrencyPerInstance,
      handlerStyle: version.handlerStyle,
      flow: flowOf(functions, realm, name),
      roleArn: version.roleArn,
    },
    url: urlOf(functions, realm, name),
  };
}

function urlOf(functions: Functions, realm: Realm, name: string): UrlForm {
  const url = orUndefined(() => functions.urls.get(realm, name, undefined));
  return url ? { kind: "url", auth: url.authType, invokeMode: url.invokeMode } : { kind: "none" };
}

async function setUrl(functions: Functions, realm: Realm, name: string, url: UrlForm & { readonly kind: "url" }): Promise<void> {
  const input = { authType: url.auth, invokeMode: url.invokeMode };
  const exists = orUndefined(() => functions.urls.get(realm, name, undefined)) !== undefined;
  await (exists ? functions.urls.update(realm, name, undefined, input) : functions.urls.create(realm, name, undefined, input));
  if (url.auth === "AWS_IAM") return removePublicStatements(functions, realm, name);
  const there = new Set(functions.policies.get(realm, name, undefined)?.statements.map(({ Sid }) => Sid));
  for (const statement of publicStatements(functionArn(realm, name))) {
    if (!there.has(statement.Sid)) await functions.policies.add(realm, name, undefined, statement, undefined);
  }
}

async function removePublicStatements(functions: Functions, realm: Realm, name: string): Promise<void> {
  const there = new Set(functions.policies.get(realm, name, undefined)?.statements.map(({ Sid }) => Sid));
  for (const { Sid } of publicStatements(functionArn(realm, name))) {
    if (there.has(Sid)) await functions.policies.remove(realm, name, undefined, Sid, undefined);
  }
}

/** What a public URL needs: AWS asks for both actions. The ids are those AWS's own console uses. */
function publicStatements(arn: string): readonly ResourceStatement[] {
  const everybody = { Effect: "Allow", Principal: "*", Resource: arn } as const;
  return [
    {
      ...everybody,
      Sid: "FunctionURLAllowPublicAccess",
      Action: "lambda:InvokeFunctionUrl",
      Condition: { StringEquals: { "lambda:FunctionUrlAuthType": "NONE" } },
    },
    {
      ...everybody,
      Sid: "FunctionURLInvokeAllowPublicAccess",
      Action: "lambda:InvokeFunction",
      Condition: { Bool: { "lambda:InvokedViaFunctionUrl": "true" } },
    },
  ];
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isLambentError(error, "NotFound")) return undefined;
    throw error;
  }
}
