import { watch } from "node:fs";
import { resolve } from "node:path";
import { systemClock, type Timer } from "../../base/index.ts";
import type { CommandContext, Run } from "../command.ts";
import { formatDebugger, parseDebuggerLine } from "../debugger-lines.ts";
import { printDeployment } from "../deploy-report.ts";
import { planDeployment, prepareDeployment, sendDeployment } from "../deployment.ts";
import { endAsked } from "../end-asked.ts";
import { describeFailure } from "../errors.ts";
import { LAMBENT_PATHS } from "../lambent-api.ts";
import { formatFollowed, parseFollowed } from "../log-lines.ts";
import { wholeNumber } from "../settings.ts";

/** Editors write a file in several steps; a deployment waits until they have been quiet for this long. */
const QUIET_MS = 40;
const NOT_CODE = /(^|[/\\])(node_modules|\.git|\.lambent|__pycache__|\.venv)([/\\]|$)|~$|\.sw[a-z]$/u;

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
  /** Functions whose logs are shown. */
  readonly followed: Set<string>;
  readonly signal: AbortSignal;
}

/** `lambent dev <folder>`: deploys at every save and shows what the functions log, until Ctrl-C. */
export const run: Run<DevOptions> = async (context, [folder = "."], options) => {
  const over = Promise.withResolvers<void>();
  void endAsked().then(over.resolve);
  const aborting = new AbortController();
  const session: Session = { context, folder, options, inspectPort: inspectPortOf(options), followed: new Set(), signal: aborting.signal };
  const deploy = oneAtATime(() => deployAndFollow(session));
  await Promise.race([deploy(), over.promise]);
  let timer: Timer | undefined;
  const watcher = watch(resolve(folder), { recursive: true }, (_event, name) => {
    if (name !== null && NOT_CODE.test(name)) return;
    timer?.cancel();
    timer = systemClock.schedule(QUIET_MS, () => void deploy().catch(over.reject));
  });
  try {
    context.output.note(`  watching ${folder}; Ctrl-C ends it`);
    await over.promise;
  } finally {
    timer?.cancel();
    watcher.close();
    aborting.abort();
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

async function deployAndFollow({ context, folder, options, inspectPort, followed, signal }: Session): Promise<void> {
  const { output } = context;
  try {
    const begunMs = systemClock.monotonicMs();
    const prepared = await prepareDeployment(folder, options, { environment: context.environment, note: output.note });
    const plan = await planDeployment(context.client(), prepared);
    if (plan.Changes.length === 0 && followed.size > 0) return;
    const answer = await sendDeployment(context.client(), prepared, plan);
    if (output.json) output.data(answer);
    else printDeployment(output, answer, prepared.packed, systemClock.monotonicMs() - begunMs);
    for (const { FunctionName: name } of answer.Functions) {
      if (followed.has(name)) continue;
      // The next function has the next port, at every start of dev the same one.
      if (inspectPort !== undefined) void debug(context, name, inspectPort && inspectPort + followed.size, signal);
      followed.add(name);
      void show(context, name, signal);
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
  try {
    for await (const text of context.client().lines(request, signal)) {
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
    if (signal.aborted) return;
    const { message, next } = describeFailure(error);
    output.note(`${noDebugger(context, name, message)}\n  ${next}`);
  }
}

function noDebugger({ output }: CommandContext, name: string, why: string): string {
  return `  ${output.paint("red", "no debugger")} of ${name}: ${why}`;
}

async function show(context: CommandContext, name: string, signal: AbortSignal): Promise<void> {
  try {
    for await (const text of context.client().lines({ service: "lambent", method: "GET", path: LAMBENT_PATHS.followLogs(name) }, signal)) {
      const line = parseFollowed(text);
      if (line) context.output.line(context.output.json ? text : `${context.output.paint("dim", name)}  ${formatFollowed(line)}`);
    }
  } catch (error) {
    if (!signal.aborted) context.output.note(`  logs of ${name} ended: ${describeFailure(error).message}`);
  }
}
