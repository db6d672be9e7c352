import { accountOperations } from "./account.ts";
import { aliasOperations } from "./aliases.ts";
import { provisionedConcurrencyOperations, reservedConcurrencyOperations } from "./concurrency.ts";
import type { ManagementDependencies } from "./dependencies.ts";
import { eventInvokeOperations } from "./event-invoke.ts";
import { eventSourceMappingOperations } from "./event-source-mappings.ts";
import { functionOperations, functionReadingOperations, recursionOperations } from "./functions.ts";
import { layerOperations, layerPolicyOperations } from "./layers.ts";
import { permissionOperations } from "./permissions.ts";
import { tagOperations } from "./tags.ts";
import { urlOperations } from "./urls.ts";
import { versionOperations } from "./versions.ts";

/** Lambda's management operations by name; calling a function is not among them. */
export function lambdaOperations(dependencies: ManagementDependencies) {
  return {
    ...functionOperations(dependencies),
    ...functionReadingOperations(dependencies),
    ...recursionOperations(dependencies),
    ...versionOperations(dependencies),
    ...aliasOperations(dependencies),
    ...reservedConcurrencyOperations(dependencies),
    ...provisionedConcurrencyOperations(dependencies),
    ...permissionOperations(dependencies),
    ...urlOperations(dependencies),
    ...eventInvokeOperations(dependencies),
    ...eventSourceMappingOperations(dependencies),
    ...tagOperations(dependencies),
    ...layerOperations(dependencies),
    ...layerPolicyOperations(dependencies),
    ...accountOperations(dependencies),
  };
}
