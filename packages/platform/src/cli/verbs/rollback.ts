import { nodeHttp } from "../../base/index.ts";
import type { Client } from "../client.ts";
import type { Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { getFunction, listVersions, updateCode, updateConfiguration, type FunctionConfiguration } from "../lambda-api.ts";
import { collect } from "../streams.ts";

/** `lambent rollback <function>`: the code and settings of a published version become what is deployed. */
export const run: Run<{ readonly to?: string }> = async ({ output, client }, [name = ""], options) => {
  const versions = await listVersions(client(), name);
  const target = choose(name, versions, options.to);
  const { Code, Configuration } = await getFunction(client(), name, target);
  const zip = await download(client(), name, Code.Location);
  await settle(client(), name, await updateConfiguration(client(), name, settingsOf(Configuration)));
  const after = await updateCode(client(), name, zip);
  const lost = unpublishedCode(versions);
  if (output.json) return output.data({ ...after, RolledBackTo: target, ...(lost === undefined ? {} : { LostCodeSha256: lost }) });
  output.line(`  ${name}   is as version ${target} was (sha256 ${(Configuration.CodeSha256 ?? "").slice(0, 12)})`);
  if (lost !== undefined)
    output.note(
      `  What was deployed before (sha256 ${lost.slice(0, 12)}) is in no version and is not here any more. \`lambent versions ${name} --publish\` keeps what is deployed.`,
    );
};

/** The code that was deployed, when no version has it: going back loses it here. */
function unpublishedCode(versions: readonly FunctionConfiguration[]): string | undefined {
  const latest = versions.find((each) => each.Version === "$LATEST")?.CodeSha256;
  return versions.some((each) => each.Version !== "$LATEST" && each.CodeSha256 === latest) ? undefined : latest;
}

function choose(name: string, versions: readonly FunctionConfiguration[], wanted: string | undefined): string {
  const latest = versions.find((each) => each.Version === "$LATEST");
  const published = versions.filter((each) => each.Version !== "$LATEST");
  const found = wanted
    ? published.find((each) => each.Version === wanted)
    : published.findLast((each) => each.CodeSha256 !== latest?.CodeSha256);
  if (found?.Version) return found.Version;
  const what = wanted ? `${name} has no version ${wanted}.` : `${name} has no published version with other code.`;
  throw new CommandFailure(
    "notFound",
    what,
    `\`lambent versions ${name}\` lists them; \`lambent versions ${name} --publish\` keeps what is deployed.`,
  );
}

function settingsOf(from: FunctionConfiguration): object {
  return {
    Runtime: from.Runtime,
    Handler: from.Handler,
    Description: from.Description,
    MemorySize: from.MemorySize,
    Timeout: from.Timeout,
    Role: from.Role,
    Environment: { Variables: from.Environment?.Variables ?? {} },
  };
}

/** The address is presigned: it is fetched as it is, and only from the server itself. */
async function download(client: Client, name: string, location: string | undefined): Promise<Buffer> {
  const url = location === undefined ? undefined : URL.parse(location);
  if (!url || url.port !== new URL(client.connection.endpoint).port) {
    throw new CommandFailure(
      "failed",
      `The server gives no address for the code of ${name}.`,
      "Deploy the earlier code again: lambent deploy <folder>",
    );
  }
  return new Promise((resolve, reject) => {
    const fail = (why: string): void =>
      reject(
        new CommandFailure("failed", `The code of ${name} could not be fetched: ${why}.`, "Repeat, or deploy the earlier code again."),
      );
    nodeHttp()
      .get(url, (answer) => {
        if (answer.statusCode !== 200) return fail(`status ${answer.statusCode ?? 0}`);
        collect(answer).then(resolve, (error: Error) => fail(error.message));
      })
      .on("error", (error) => fail(error.message));
  });
}

/** Asks until the change is made ready; the server answers a look at once, so the questions are few. */
async function settle(client: Client, name: string, changed: FunctionConfiguration): Promise<void> {
  let state = changed;
  for (let looks = 0; looks < SETTLE_LOOKS_MAX && state.LastUpdateStatus === "InProgress"; looks += 1) {
    state = (await getFunction(client, name)).Configuration;
  }
}

/** Looks at a function while it is being made ready; each takes about a millisecond. */
const SETTLE_LOOKS_MAX = 5_000;
