import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Client } from "./client.ts";
import { planDeployment, prepareDeployment, sendDeployment } from "./deployment.ts";
import { describeFailure } from "./errors.ts";

/** The examples of a checkout; a published package has none. */
export function examplesFolder(): string | undefined {
  const folder = fileURLToPath(new URL("../../../../examples", import.meta.url));
  return existsSync(folder) ? folder : undefined;
}

export interface ExamplesResult {
  readonly names: readonly string[];
  /** One line each: an example that could not be deployed, and why. */
  readonly remarks: readonly string[];
}

/** Deploys every example, except over what a person changed; one that fails does not keep the others away. */
export async function deployExamples(
  client: Client,
  folder: string,
  options: { readonly url: boolean; readonly environment: NodeJS.ProcessEnv },
): Promise<ExamplesResult> {
  const names: string[] = [];
  const remarks: string[] = [];
  for (const example of readdirSync(folder).toSorted()) {
    if (!existsSync(join(folder, example, "lambent.yaml"))) continue;
    try {
      const prepared = await prepareDeployment(
        join(folder, example),
        { url: options.url },
        { environment: options.environment, note: () => undefined },
      );
      const careful = { ...prepared, request: { ...prepared.request, OnlyUntouched: true } };
      const answer = await sendDeployment(client, careful, await planDeployment(client, careful));
      names.push(...answer.Functions.map((each) => each.FunctionName));
    } catch (error) {
      const { message, next } = describeFailure(error);
      remarks.push(`example ${example}: ${message} ${next}`);
    }
  }
  return { names, remarks };
}
