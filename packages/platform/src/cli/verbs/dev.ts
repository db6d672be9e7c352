import { delay, systemClock, type Timer } from "../../base/index.ts";
import { createClient, type Client } from "../client.ts";
import type { CommandContext, Run } from "../command.ts";
import { connect } from "../connection.ts";
import { formatDebugger, parseDebuggerLine } from "../debugger-lines.ts";
import { printDeployment } from "../deploy-report.ts";
import { planDeployment, prepareDeployment, sendDeployment } from "../deployment.ts";
import { endAsked } from "../end-asked.ts";
import { describeFailure } from "../errors.ts";
import { LAMBENT_PATHS } from "../lambent-api.ts";
import { followedJson, formatFollowed, parseFollowed } from "../log-lines.ts";
import { wholeNumber } from "../settings.ts";
import { watchCode } from "../watching.ts";

/** Editors write a file in several steps; a deployment waits until they have been quiet for this long. */
const QUIET_MS = 40;
/** Between two tries to reach a server that went away. */
const FOLLOW_AGAIN_MS = 500;

/** Where Node's own `--inspect` listens, and what debuggers try first. */
const INSPECT_PORT_DEFAULT = 9_229;

interface DevOptions {
  readonly url?: boolean;
  /** The port of the first function's debugger; true without one. */
  readonly inspect?: string | true;
}

/** What happens beside the deployments until dev ends. */
interface Session {
  readonly context: CommandContext;
  readonly folder: string;
  readonly options: DevOptions;
  /** The port of the first function's debugger, 0 for free ones; undefined without debugging. */
  readonly inspectPort: number | undefined;
  /** Functions whose logs are shown, and how that is ended. */
  readonly followed: Map<string, AbortController>;
}

/** `lambent dev [folder|file]`: deploys at every save and shows what the functions log, until Ctrl-C. */
export const run: Run<DevOptions> = async (context, [folder = "."], options) => {
  const over = Promise.withResolvers<void>();
  void endAsked().then(over.resolve);
  const session: Session = { context, folder, options, inspectPort: inspectPortOf(options), followed: new Map() };
  const deploy = oneAtATime(() => deployAndFollow(session));
  let timer: Timer | undefined;
  // Before the first deployment: a save while that runs is not lost.
  const stopWatching = watchCode(folder, {
    onSave() {
      timer?.cancel();
      timer = systemClock.schedule(QUIET_MS, () => void deploy().catch(over.reject));
    },
    onTrouble: over.reject,
  });
  try {
    await Promise.race([deploy(), over.promise]);
    context.output.note(`  watching ${folder}; Ctrl-C ends it`);
    await over.promise;
  } finally {
    timer?.cancel();
    stopWatching();
    for (const aborting of session.followed.values()) aborting.abort();
  }
};

/** Runs `task`; what is asked for while it runs becomes one more run behind it. */
function oneAtATime(task: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  let again = false;
  const loop = async (): Promise<void> => {
    do {
      again = false;
      await task();
    } while (again);
    running = undefined;
  };
  return () => {
    again = running !== undefined;
    return (running ??= loop());
  };
}

function inspectPortOf({ inspect }: DevOptions): number | undefined {
  if (inspect === undefined) return undefined;
  return inspect === true ? INSPECT_PORT_DEFAULT : wholeNumber(inspect, "--inspect", 0, 65_535);
}

/** Made anew each time: a server that was started again may have another key. */
function freshClient({ connection, environment }: CommandContext): Client {
  return createClient(connect(connection, environment));
}

async function deployAndFollow({ context, folder, options, inspectPort, followed }: Session): Promise<void> {
  const { output } = context;
  try {
    const begunMs = systemClock.monotonicMs();
    const prepared = await prepareDeployment(folder, options, { environment: context.environment, note: output.note });
    const client = freshClient(context);
    const plan = await planDeployment(client, prepared);
    if (plan.Changes.length === 0 && plan.Wiring.length === 0 && followed.size > 0) return;
    const answer = await sendDeployment(client, prepared, plan);
    if (output.json) output.data(answer);
    else printDeployment(output, answer, prepared.packed, systemClock.monotonicMs() - begunMs);
    for (const { Kind, FunctionName: name } of answer.Changes) if (Kind === "removeFunction") followed.get(name)?.abort();
    for (const { FunctionName: name } of answer.Functions) {
      const known = followed.get(name);
      if (known && !known.signal.aborted) continue;
      const aborting = new AbortController();
      // The next function has the next port, at every start of dev the same one.
      if (inspectPort !== undefined) void debug(context, name, inspectPort && inspectPort + followed.size, aborting.signal);
      followed.set(name, aborting);
      void show(context, name, aborting.signal);
    }
  } catch (error) {
    const failure = describeFailure(error);
    if (failure.exit === "unreachable" || failure.exit === "refused") throw error;
    // A mistake in the code is what a person is about to mend: said, and waited for the next save.
    output.note(`  ${output.paint("red", "not deployed")}: ${failure.message}\n  ${failure.next}`);
  }
}

/** Keeps a function under a debugger until `signal` aborts, and says where to attach. */
async function debug(context: CommandContext, name: string, port: number, signal: AbortSignal): Promise<void> {
  const { output } = context;
  const body = Buffer.from(JSON.stringify({ Port: port }));
  const headers = { "content-type": "application/json" };
  const request = { service: "lambent", method: "POST", path: LAMBENT_PATHS.debug(name), headers, body } as const;
  let address = "";
  let last: string | undefined;
  let wasThere = false;
  while (!signal.aborted) {
    try {
      for await (const text of freshClient(context).lines(request, signal)) {
        wasThere = true;
        const line = parseDebuggerLine(text);
        if (output.json) output.line(text);
        else if (line?.kind === "address") ({ address } = line);
        else if (line) {
          const said = line.kind === "attachable" ? formatDebugger(name, line.protocol, address) : noDebugger(context, name, line.what);
          // Every save brings an instance; what is the same as before needs no second word.
          if (said !== last) output.line(said);
          last = said;
        }
      }
    } catch (error) {
      // A server that had one and went away may come back.
      if (!wasThere) return signal.aborted ? undefined : sayNoDebugger(context, name, error);
    }
    await delay(systemClock, FOLLOW_AGAIN_MS);
  }
}

function sayNoDebugger(context: CommandContext, name: string, error: unknown): void {
  const { message, next } = describeFailure(error);
  context.output.note(`${noDebugger(context, name, message)}\n  ${next}`);
}

function noDebugger({ output }: CommandContext, name: string, why: string): string {
  return `  ${output.paint("red", "no debugger")} of ${name}: ${why}`;
}

/** Shows what a function logs, of a server that was started again too. */
async function show(context: CommandContext, name: string, signal: AbortSignal): Promise<void> {
  const { output } = context;
  let away = false;
  while (!signal.aborted) {
    let why = "The server ended.";
    try {
      for await (const text of freshClient(context).lines(
        { service: "lambent", method: "GET", path: LAMBENT_PATHS.followLogs(name) },
        signal,
      )) {
        if (away) output.note(`  logs of ${name} go on`);
        away = false;
        const line = parseFollowed(text);
        if (line) output.line(output.json ? followedJson(line) : `${output.paint("dim", name)}  ${output.foreign(formatFollowed(line))}`);
      }
    } catch (error) {
      why = describeFailure(error).message;
    }
    if (signal.aborted) return;
    if (!away) output.note(`  logs of ${name} ended: ${why} They go on when it is back.`);
    away = true;
    await delay(systemClock, FOLLOW_AGAIN_MS);
  }
}
