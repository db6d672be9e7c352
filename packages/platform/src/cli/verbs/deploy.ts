import { systemClock } from "../../base/index.ts";
import type { Run } from "../command.ts";
import { printDeployment, printPlan } from "../deploy-report.ts";
import { planDeployment, prepareDeployment, sendDeployment, type DeployOptions } from "../deployment.ts";

/** `lambent deploy <path>`: packs, asks what changes, sends only that. */
export const run: Run<DeployOptions & { readonly plan?: boolean }> = async (context, [path = "."], options) => {
  const { output } = context;
  const client = context.client();
  const prepared = await prepareDeployment(path, options, { environment: context.environment, note: output.note });
  const begunMs = systemClock.monotonicMs();
  const plan = await planDeployment(client, prepared);
  if (options.plan) return output.json ? output.data(plan) : printPlan(output, plan);
  const answer = await sendDeployment(client, prepared, plan);
  const tookMs = systemClock.monotonicMs() - begunMs;
  if (output.json) output.data({ ...answer, TookMs: Math.round(tookMs) });
  else printDeployment(output, answer, prepared.packed, tookMs);
};
