import type { Clock, Random } from "../../base/index.ts";
import type { Targets } from "../../delivery/index.ts";
import type { InvokeOutcome } from "../../invoker/index.ts";
import type { Realm } from "../../model/index.ts";
import type { Streams } from "../../streams/index.ts";
import type { ManagedWindow, SinkForm, WindowRecord } from "../definition.ts";
import type { Lane } from "../engine/lane.ts";
import { windowArn } from "../names.ts";
import type { Databases } from "./postgres/databases.ts";
import { postgresSink } from "./postgres/postgres-sink.ts";
import { functionSink, type WindowCall } from "./function-sink.ts";
import type { Secrets } from "./secrets.ts";
import type { Sink, SinkOrigin } from "./sink.ts";
import { streamSink } from "./stream-sink.ts";
import { handOverFailed, targetSink } from "./target-sink.ts";

export interface SinksParts {
  readonly streams: Streams;
  readonly clock: Clock;
  readonly random: Random;
  readonly retryTimeFactor: number;
  readonly invoke: (call: WindowCall) => Promise<InvokeOutcome>;
  readonly targets: () => Promise<Pick<Targets, "handOver">>;
  /** Throws `NotImplemented` where windows reach nothing outside. */
  readonly databases: () => Promise<Databases>;
  /** Of this window. */
  readonly secrets: Secrets;
  readonly onProblem: (error: unknown) => void;
}

/** The sinks of all lanes of a window. */
export function sinksOf(parts: SinksParts, realm: Realm, { name, id, generation }: WindowRecord, definition: ManagedWindow): Sink[] {
  const origin: SinkOrigin = { realm, windowName: name, windowId: id, generation, windowArn: windowArn(realm, name) };
  const { sinks, lateSinks, anomaly, setAside } = definition;
  const forms: readonly (readonly [Lane, readonly SinkForm[]])[] = [
    ["results", sinks],
    ["late", lateSinks],
    ["anomalies", anomaly?.sinks ?? []],
    ["setAside", setAside === undefined ? [] : [{ kind: "stream", stream: setAside }]],
  ];
  return forms.flatMap(([lane, mine]) => mine.map((form) => sinkOf(parts, origin, definition, lane, form)));
}

function sinkOf(parts: SinksParts, origin: SinkOrigin, { window }: ManagedWindow, lane: Lane, form: SinkForm): Sink {
  switch (form.kind) {
    case "stream":
      return streamSink(lane, form.stream, { streams: parts.streams, origin });
    case "function": {
      const { onFailure } = form;
      return functionSink(lane, form, {
        ...{ ...parts, origin },
        // Without a place for them, results that a function fails with are counted by its own errors, and gone.
        giveUp: (failed) => (onFailure === undefined ? Promise.resolve() : handOverFailed({ ...parts, origin }, onFailure, failed)),
      });
    }
    case "target":
    case "http":
    case "bucket":
      return targetSink(lane, form, { targets: parts.targets, origin });
    case "postgres":
      return postgresSink(lane, form, { origin, window, databases: parts.databases, url: () => parts.secrets.open(form.url) });
  }
}
