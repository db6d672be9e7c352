import type { OperationCase } from "./cases.ts";
import { functionCases } from "./lambda-functions.ts";
import { layerCases } from "./lambda-layers.ts";
import { mappingCases } from "./lambda-mappings.ts";
import { eventInvokeCases, permissionCases, tagCases, urlCases } from "./lambda-settings.ts";
import { concurrencyCases, versionCases } from "./lambda-versions.ts";

/** Every operation of Lambda that is built. */
export const lambdaCases: Readonly<Record<string, OperationCase>> = {
  ...functionCases,
  ...versionCases,
  ...concurrencyCases,
  ...permissionCases,
  ...urlCases,
  ...eventInvokeCases,
  ...mappingCases,
  ...tagCases,
  ...layerCases,
};
