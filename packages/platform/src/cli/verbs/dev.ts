import { watch } from "node:fs";
import { resolve } from "node:path";
import { systemClock, type Timer } from "../../base/index.ts";
import type { CommandContext, Run } from "../command.ts";
import { printDeployment } from "../deploy-report.ts";
import { planDeployment, prepareDeployment, sendDeployment } from "../deployment.ts";
import { endAsked } from "../end-asked.ts";
import { describeFailure } from "../errors.ts";
import { LAMBENT_PATHS } from "../lambent-api.ts";
import { formatFollowed, parseFollowed } from "../log-lines.ts";

/** Editors write a file in several steps; a deployment waits until they have been quiet for this long. */
const QUIET_MS = 40;
const NOT_CODE = /(^|[/\\])(node_modules|\.git|\.lambent|__pycache__|\.venv)([/\\]|$)|~$|\.sw[a-z]$/u;

interface DevOptions {
  readonly url?: boolean;
}

/** `lambent dev <folder>`: deploys at every save and shows what the functions log, until Ctrl-C. */
export const run: Run<DevOptions> = async (context, [folder = "."], options) => {
  const over = Promise.withResolvers<void>();
  void endAsked().then(over.resolve);
  const followed = new Set<string>();
  const aborting = new AbortController();
  const deploy = oneAtATime(() => deployAndFollow(context, folder, options, followed, aborting.signal));
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

async function deployAndFollow(
  context: CommandContext,
  folder: string,
  options: DevOptions,
  followed: Set<string>,
  signal: AbortSignal,
): Promise<void> {
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
