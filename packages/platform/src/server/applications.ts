import { type Apps, openApps } from "../apps/index.ts";
import type { Functions } from "../functions/index.ts";
import type { Queues } from "../queues/index.ts";
import type { Sources } from "../sources/index.ts";
import type { Store } from "../storage/index.ts";
import { createAppFunctions } from "./app-functions.ts";
import type { AppWindowParts } from "./app-windows.ts";
import { createAppWiring } from "./app-wiring.ts";
import type { Distribution } from "./distribution.ts";

export interface ApplicationParts extends Pick<Distribution, "buses" | "schedules" | "buckets">, AppWindowParts {
  readonly store: Store;
  readonly functions: Functions;
  readonly queues: Queues;
  readonly sources: Sources;
}

/** Applications over all that they bring. */
export function openApplications({ store, ...parts }: ApplicationParts): Apps {
  return openApps({ store, functions: createAppFunctions(parts.functions), wiring: createAppWiring(parts) });
}
