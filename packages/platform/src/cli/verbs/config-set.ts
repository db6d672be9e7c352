import type { Client } from "../client.ts";
import type { Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { getFunction, updateConfiguration } from "../lambda-api.ts";
import { environmentOf, flowOf, wholeNumber, type SettingOptions } from "../settings.ts";

/** Settings that AWS has no member for are tags: their names here as `functions/` has them, which a command does not load. */
const CONCURRENCY_TAG = "lambent:concurrency";
const FLOW_TAG_PREFIX = "lambent:async-";

/** `lambent config set <function>`: what is not named stays as it is, environment entries too. */
export const run: Run<SettingOptions & { readonly unsetEnv?: readonly string[] }> = async ({ output, client }, [name = ""], options) => {
  const concurrency = wholeNumber(options.concurrency, "--concurrency", 1, 1_000);
  const added = environmentOf(options);
  const removed = new Set(options.unsetEnv);
  const body = {
    Runtime: options.runtime,
    Handler: options.handler,
    Description: options.description,
    MemorySize: wholeNumber(options.memory, "--memory", 128, 10_240),
    Timeout: wholeNumber(options.timeout, "--timeout", 1, 900),
    Role: options.role,
    Environment: undefined as { readonly Variables: Readonly<Record<string, string>> } | undefined,
  };
  const { Configuration: before } = await getFunction(client(), name);
  if (added || removed.size > 0) {
    const kept = Object.entries(before.Environment?.Variables ?? {}).filter(([key]) => !removed.has(key));
    body.Environment = { Variables: { ...Object.fromEntries(kept), ...added } };
  }
  const named = Object.entries(body)
    .filter(([, value]) => value !== undefined)
    .map(([key]) => key);
  const tags = tagsOf(concurrency, flowOf(options) ?? {});
  if (named.length === 0 && tags.size === 0)
    throw new CommandFailure("usage", "No setting was named.", "For example: lambent config set hello --memory 256 --env LEVEL=3");
  await setTags(client(), before.FunctionArn, tags);
  const after = named.length > 0 ? await updateConfiguration(client(), name, body) : before;
  if (output.json) output.data(after);
  else output.line(`  ${name}   changed: ${[...named, ...[...tags.keys()].map((tag) => tag.replace("lambent:", ""))].join(", ")}`);
};

/** An empty one goes. */
function tagsOf(concurrency: number | undefined, flow: NonNullable<ReturnType<typeof flowOf>>): ReadonlyMap<string, string> {
  const tags = new Map(Object.entries(flow).map(([name, value]) => [FLOW_TAG_PREFIX + name, value]));
  if (concurrency !== undefined) tags.set(CONCURRENCY_TAG, String(concurrency));
  return tags;
}

async function setTags(client: Client, arn: string, tags: ReadonlyMap<string, string>): Promise<void> {
  const path = `/2017-03-31/tags/${encodeURIComponent(arn)}`;
  const set = [...tags].filter(([, value]) => value !== "");
  const removed = [...tags].filter(([, value]) => value === "");
  if (set.length > 0) await client.json({ service: "lambda", method: "POST", path, body: { Tags: Object.fromEntries(set) } });
  if (removed.length > 0) {
    const query = removed.map(([tag]) => `tagKeys=${encodeURIComponent(tag)}`).join("&");
    await client.send({ service: "lambda", method: "DELETE", path: `${path}?${query}` });
  }
}
