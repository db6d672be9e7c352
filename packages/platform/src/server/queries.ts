import type { Clock, Later } from "../base/index.ts";
import { Queries } from "../queries/index.ts";
import type { Windows } from "../windows/index.ts";
import type { Streaming } from "./streaming.ts";

export interface QueriesJoin {
  readonly streaming: Later<Streaming>;
  readonly windows: Later<Windows>;
  readonly clock: Clock;
}

/** Joins queries to the streams that they read; a managed window goes by its name there, too. */
export async function joinQueries({ streaming, windows, clock }: QueriesJoin): Promise<Queries> {
  const { streams } = await streaming.get();
  return new Queries({
    ...{ streams, clock },
    async resultsOf(realm, name) {
      const record = (await windows.get()).find(realm, name);
      return record?.definition.sinks.flatMap((sink) => (sink.kind === "stream" ? [sink.stream] : []))[0];
    },
  });
}
