import type { Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { getFunction, updateConfiguration } from "../lambda-api.ts";
import { environmentOf, wholeNumber, type SettingOptions } from "../settings.ts";

/** The tag that says how many calls one instance takes at once. */
const CONCURRENCY_TAG = "lambent:concurrency";

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
  if (named.length === 0 && concurrency === undefined)
    throw new CommandFailure("usage", "No setting was named.", "For example: lambent config set hello --memory 256 --env LEVEL=3");
  if (concurrency !== undefined) {
    await client().json({
      service: "lambda",
      method: "POST",
      path: `/2017-03-31/tags/${encodeURIComponent(before.FunctionArn)}`,
      body: { Tags: { [CONCURRENCY_TAG]: String(concurrency) } },
    });
  }
  const after = named.length > 0 ? await updateConfiguration(client(), name, body) : before;
  if (output.json) output.data(after);
  else output.line(`  ${name}   changed: ${[...named, ...(concurrency === undefined ? [] : ["concurrency"])].join(", ")}`);
};
