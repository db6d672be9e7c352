import { type Apps, openApps } from "../apps/index.ts";
import type { Functions } from "../functions/index.ts";
import type { Queues } from "../queues/index.ts";
import type { Sources } from "../sources/index.ts";
import type { Store } from "../storage/index.ts";
import { createAppFunctions } from "./app-functions.ts";
import { createAppWiring } from "./app-wiring.ts";
import type { Distribution } from "./distribution.ts";

export interface ApplicationParts extends Pick<Distribution, "buses" | "schedules" | "buckets"> {
  readonly store: Store;
  readonly functions: Functions;
  readonly queues: Queues;
  readonly sources: Sources;
}

/** Applications over all that they bring. */
export function openApplications({ store, functions, queues, sources, buses, schedules, buckets }: ApplicationParts): Apps {
  return openApps({
    store,
    functions: createAppFunctions(functions),
    wiring: createAppWiring({ queues, sources, functions, buses, schedules, buckets }),
  });
}
