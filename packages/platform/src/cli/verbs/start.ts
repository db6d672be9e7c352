import { relative } from "node:path";
import { isLambentError } from "../../base/index.ts";
import { DEFAULT_REGION } from "../../model/index.ts";
import { type KafkaOptions, type KafkaReport, startServer, type RunningServer, type ServerOptions } from "../../server/index.ts";
import { bannerLines } from "../banner.ts";
import type { CommandContext, Run } from "../command.ts";
import { detach, type ReadyMessage } from "../detach.ts";
import { CommandFailure } from "../errors.ts";
import { endAsked } from "../end-asked.ts";
import type { ExamplesResult } from "../examples.ts";
import { portHolder, refuseTakenPort, takenPort } from "../port-holder.ts";
import { outliveReaders } from "../readers.ts";
import { leaveRunRecord, removeRunRecord, runFolderPath } from "../run-folder.ts";
import { wholeNumber } from "../settings.ts";
import { oneOf } from "../choices.ts";
import { factor, openedDestinations, rootKeyOf, sdkTree, searchPath } from "../start-settings.ts";
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
  /** False with `--no-kafka`. */
  readonly kafka?: boolean;
  readonly kafkaPort?: string;
  readonly kafkaAutoCreate?: string;
  readonly pool?: string;
  readonly idle?: string;
  readonly retryTimeFactor?: string;
  readonly region?: string;
  readonly examples?: boolean;
  readonly url?: boolean;
  readonly detach?: boolean;
}

const DEFAULT_PORT = 4566;
const DEFAULT_KAFKA_PORT = 9092;

/** `lambent start`: runs until Ctrl-C or SIGTERM, then drains and ends with 0. */
export const run: Run<StartOptions> = async (context, _args, options) => {
  const port = wholeNumber(options.port, context.calledAs("--port"), 0, 65_535) ?? DEFAULT_PORT;
  if (options.detach) return detach(context);
  outliveReaders();
  const server = await startOrExplain(context, options, port);
  // Only now: a signal while it starts ends the process as it is, which the next start cleans up after like a crash.
  const stopped = endAsked();
  const folder = runFolderPath(context.environment);
  try {
    leaveRunRecord(folder, { endpoint: server.url, pid: process.pid, ...keyOf(server), dataFolder: server.report.dataFolder });
    await announce(context, options, server);
    await stopped;
    context.output.note("\n  draining …");
  } finally {
    // The record stays while it drains: by it a command tells a server that is stopping from none.
    await server.stop().finally(() => removeRunRecord(folder, server.url, process.pid));
  }
};

async function startOrExplain(context: CommandContext, options: StartOptions, port: number): Promise<RunningServer> {
  const host = options.host ?? "127.0.0.1";
  try {
    await refuseTakenPort(host, port);
    return await startServer(serverOptions(context, options, { host, port }));
  } catch (error) {
    if (!isLambentError(error, "PortTaken")) throw error;
    const taken = Number(error.details["port"] ?? port);
    throw takenPort(taken, context.environment, taken === port ? "--port" : "--kafka-port");
  }
}

function serverOptions(
  { environment, calledAs }: CommandContext,
  options: StartOptions,
  { host, port }: { readonly host: string; readonly port: number },
): ServerOptions {
  const idleSeconds = wholeNumber(options.idle, calledAs("--idle"), 1, 86_400);
  return {
    port,
    host,
    dataFolder: options.memory ? undefined : named(options.data ?? ".lambent", calledAs("--data")),
    sandbox: oneOf(options.sandbox ?? "auto", calledAs("--sandbox"), ["auto", "bubblewrap", "process"]),
    auth: oneOf(options.auth ?? "root-key", calledAs("--auth"), ["root-key", "well-known"]),
    network: oneOf(options.network ?? "lambent", calledAs("--network"), ["none", "lambent", "host"]),
    allowHosts: options.allowHost ?? [],
    opened: openedDestinations(options),
    rootKey: rootKeyOf(environment),
    region: options.region || DEFAULT_REGION,
    poolReadyMax: wholeNumber(options.pool, calledAs("--pool"), 0, 64),
    idleMs: idleSeconds && idleSeconds * 1_000,
    retryTimeFactor: factor(options.retryTimeFactor, calledAs("--retry-time-factor")),
    sdkTree: sdkTree(),
    searchPath: searchPath(environment),
    kafka: options.kafka === false ? undefined : kafkaOptions(calledAs, options, port),
  };
}

/** A server that takes any port for its API takes any for Kafka too. */
function kafkaOptions(calledAs: CommandContext["calledAs"], options: StartOptions, port: number): KafkaOptions {
  const asked = wholeNumber(options.kafkaPort, calledAs("--kafka-port"), 0, 65_535);
  return {
    port: asked ?? (port === 0 ? 0 : DEFAULT_KAFKA_PORT),
    isAskedFor: asked !== undefined,
    autoCreate: oneOf(options.kafkaAutoCreate ?? "on", calledAs("--kafka-auto-create"), ["on", "off"]) === "on",
  };
}

/** An empty name would be the folder one is in. */
function named(folder: string, option: string): string {
  if (folder !== "") return folder;
  throw new CommandFailure("usage", `${option} is empty; it has to be a folder's name.`, "Name one, or leave it out for .lambent here.");
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
    kafka: report.kafka.kind === "listening" ? report.kafka.address : undefined,
    remarks: [...report.sandbox.remarks, ...kafkaRemarks(report.kafka), ...(examples?.remarks ?? [])],
    examples: examples?.names,
    command: commandWord(),
  };
  if (output.json) output.data({ ...facts, pid: process.pid });
  else for (const line of bannerLines(facts, output.paint)) output.line(line);
  tellParent(Number(new URL(server.url).port));
}

function kafkaRemarks(kafka: KafkaReport): string[] {
  if (kafka.kind !== "portTaken") return [];
  const holder = portHolder(kafka.port);
  const by = holder ? ` by process ${holder.pid} (${holder.command})` : "";
  return [`Kafka: port ${kafka.port} is taken${by}; --kafka-port chooses another one, 0 a free one`];
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
function tellParent(port: number): void {
  process.send?.({ kind: "ready", port } satisfies ReadyMessage);
  process.disconnect?.();
}
