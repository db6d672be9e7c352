import { relative } from "node:path";
import { isLambentError } from "../../base/index.ts";
import { DEFAULT_REGION } from "../../model/index.ts";
import { startServer, type RunningServer, type ServerOptions } from "../../server/index.ts";
import { bannerLines } from "../banner.ts";
import type { CommandContext, Run } from "../command.ts";
import { detach } from "../detach.ts";
import { endAsked } from "../end-asked.ts";
import type { ExamplesResult } from "../examples.ts";
import { refuseTakenPort, takenPort } from "../port-holder.ts";
import { outliveReaders } from "../readers.ts";
import { leaveRunRecord, removeRunRecord, runFolderPath } from "../run-folder.ts";
import { wholeNumber } from "../settings.ts";
import { oneOf } from "../choices.ts";
import { openedDestinations, rootKeyOf, sdkTree, searchPath } from "../start-settings.ts";
import { commandWord, packageVersion } from "../version.ts";

export interface StartOptions {
  readonly port?: string;
  readonly host?: string;
  readonly data?: string;
  readonly memory?: boolean;
  readonly sandbox?: string;
  readonly auth?: string;
  readonly network?: string;
  readonly allowHost?: readonly string[];
  readonly allowHostPort?: readonly string[];
  readonly allowNetwork?: readonly string[];
  readonly pool?: string;
  readonly idle?: string;
  readonly region?: string;
  readonly examples?: boolean;
  readonly url?: boolean;
  readonly detach?: boolean;
}

const DEFAULT_PORT = 4566;

/** `lambent start`: runs until Ctrl-C or SIGTERM, then drains and ends with 0. */
export const run: Run<StartOptions> = async (context, _args, options) => {
  const port = wholeNumber(options.port, "--port", 0, 65_535) ?? DEFAULT_PORT;
  if (options.detach) return detach(context, port);
  outliveReaders();
  const server = await startOrExplain(options, port, context.environment);
  // Only now: a signal while it starts ends the process as it is, which the next start cleans up after like a crash.
  const stopped = endAsked();
  const folder = runFolderPath(context.environment);
  try {
    leaveRunRecord(folder, { endpoint: server.url, pid: process.pid, ...keyOf(server), dataFolder: server.report.dataFolder });
    await announce(context, options, server);
    await stopped;
    context.output.note("\n  draining …");
  } finally {
    removeRunRecord(folder, server.url);
    await server.stop();
  }
};

async function startOrExplain(options: StartOptions, port: number, environment: NodeJS.ProcessEnv): Promise<RunningServer> {
  const host = options.host ?? "127.0.0.1";
  try {
    await refuseTakenPort(host, port);
    return await startServer(serverOptions(options, { host, port, environment }));
  } catch (error) {
    if (!isLambentError(error, "PortTaken")) throw error;
    throw takenPort(port, environment);
  }
}

function serverOptions(
  options: StartOptions,
  at: { readonly host: string; readonly port: number; readonly environment: NodeJS.ProcessEnv },
): ServerOptions {
  const { host, port, environment } = at;
  const idleSeconds = wholeNumber(options.idle, "--idle", 1, 86_400);
  return {
    port,
    host,
    dataFolder: options.memory ? undefined : (options.data ?? ".lambent"),
    sandbox: oneOf(options.sandbox ?? "auto", "--sandbox", ["auto", "bubblewrap", "process"]),
    auth: oneOf(options.auth ?? "root-key", "--auth", ["root-key", "well-known"]),
    network: oneOf(options.network ?? "lambent", "--network", ["none", "lambent", "host"]),
    allowHosts: options.allowHost ?? [],
    opened: openedDestinations(options),
    rootKey: rootKeyOf(environment),
    region: options.region || DEFAULT_REGION,
    poolReadyMax: wholeNumber(options.pool, "--pool", 0, 64),
    idleMs: idleSeconds && idleSeconds * 1_000,
    sdkTree: sdkTree(),
    searchPath: searchPath(environment),
  };
}

async function announce(context: CommandContext, options: StartOptions, server: RunningServer): Promise<void> {
  const { output } = context;
  const { report } = server;
  const examples = options.examples ? await withExamples(context, options, server) : undefined;
  const facts = {
    version: packageVersion(),
    url: server.url,
    dataFolder: shownFolder(report.dataFolder),
    durability: report.durability,
    sandbox: report.sandbox,
    network: report.sandbox.network,
    region: report.region,
    remarks: [...report.sandbox.remarks, ...(examples?.remarks ?? [])],
    examples: examples?.names,
    command: commandWord(),
  };
  if (output.json) output.data({ ...facts, pid: process.pid });
  else for (const line of bannerLines(facts, output.paint)) output.line(line);
  tellParent();
}

/** Relative to where the person is, when it is below. */
function shownFolder(folder: string | undefined): string | undefined {
  const short = folder === undefined ? undefined : relative(process.cwd(), folder);
  return short === undefined || short === "" || short.startsWith("..") ? folder : short;
}

async function withExamples(context: CommandContext, options: StartOptions, server: RunningServer): Promise<ExamplesResult> {
  const { createClient } = await import("../client.ts");
  const { deployExamples, examplesFolder } = await import("../examples.ts");
  const folder = examplesFolder();
  if (!folder) return { names: [], remarks: ["this package has no examples; they are in the repository"] };
  const { region, ...key } = keyOf(server);
  const client = createClient({ endpoint: server.url, region, key, keyFrom: "run-time folder" });
  return deployExamples(client, folder, { url: options.url !== false, environment: context.environment });
}

function keyOf({ report }: RunningServer): { readonly accessKeyId: string; readonly secretAccessKey: string; readonly region: string } {
  const { accessKeyId, secretAccessKey } = report.rootKey;
  return { accessKeyId, secretAccessKey, region: report.region };
}

/** A parent that detached this process waits for the word and then lets go. */
function tellParent(): void {
  process.send?.({ kind: "ready" });
  process.disconnect?.();
}
