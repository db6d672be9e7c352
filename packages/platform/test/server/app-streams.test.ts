/** Which mapping of a stream an application and the command line mean. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { unreachable } from "../../src/base/index.ts";
import { createAppStreams } from "../../src/server/app-streams.ts";
import { DEFAULT_STREAM_MAPPING_SETTINGS, type StreamMapping } from "../../src/sources/index.ts";

const realm = { account: "000000000000", region: "us-east-1" };
const asked = (): never => unreachable("nothing is to be asked" as never);

const mapping = (uuid: string, change: Partial<StreamMapping>): StreamMapping => ({
  ...{ uuid, functionName: "hello", qualifier: undefined, tags: {}, modifiedAt: 0, state: { kind: "enabled" } },
  source: { kind: "stream", stream: "clicks", form: "json", start: { kind: "trimHorizon" } },
  settings: DEFAULT_STREAM_MAPPING_SETTINGS,
  ...change,
});
const kafka = (cluster: Extract<StreamMapping["source"], { readonly form: "kafka" }>["cluster"]): StreamMapping["source"] => ({
  ...{ kind: "stream", stream: "clicks", form: "kafka", cluster, start: { kind: "trimHorizon" } },
});

const appStreams = (...mappings: readonly StreamMapping[]) =>
  createAppStreams({
    streams: asked,
    queues: { find: asked },
    sources: {
      list: () => [...mappings],
      result: () => ({ kind: "problem", what: "Function call failed" }),
      ...{ settled: asked, create: asked, update: asked, remove: asked },
    },
  });

test("a topic of brokers elsewhere is shown with them, and is not the one of this server that has its name", () => {
  const elsewhere = mapping("1", { source: kafka({ kind: "external", servers: ["kafka.example:9092"], access: [] }) });
  const names = { functionName: "hello", streamName: "clicks", form: "kafka" } as const;
  assert.equal(appStreams(elsewhere).currentStreamTrigger(realm, names), undefined);
  assert.deepEqual(appStreams(elsewhere).listStreamTriggers(realm)[0]?.brokers, ["kafka.example:9092"]);
  const here = mapping("2", { source: kafka({ kind: "selfManaged", servers: ["localhost:9092"] }) });
  const found = appStreams(elsewhere, here).currentStreamTrigger(realm, names);
  assert.deepEqual([found?.uuid, found?.brokers, found?.result], ["2", undefined, "PROBLEM: Function call failed"]);
});

test("a trigger is known by function with qualifier, stream and form, until it goes", () => {
  const bare = mapping("1", { qualifier: "live", settings: { ...DEFAULT_STREAM_MAPPING_SETTINGS, retriesMax: 2, answers: "reported" } });
  const names = { functionName: "hello:live", streamName: "clicks", form: "json" } as const;
  const found = appStreams(bare).currentStreamTrigger(realm, names);
  assert.deepEqual([found?.functionName, found?.from, found?.state], ["hello:live", "start", "Enabled"]);
  assert.deepEqual([found?.options.retriesMax, found?.options.reportsFailures, found?.options.enabled], [2, true, true]);
  for (const other of [{ functionName: "hello" }, { streamName: "visits" }, { form: "kinesis" as const }])
    assert.equal(appStreams(bare).currentStreamTrigger(realm, { ...names, ...other }), undefined);
  const going = mapping("1", { qualifier: "live", state: { kind: "deleting" } });
  assert.equal(appStreams(going).currentStreamTrigger(realm, names), undefined);
});

test("a queue of one's own is told by its name, and everything else by its ARN", () => {
  const told = (onFailure: string) => {
    const [trigger] = appStreams(mapping("1", { settings: { ...DEFAULT_STREAM_MAPPING_SETTINGS, onFailure } })).listStreamTriggers(realm);
    return trigger?.options.onFailure;
  };
  assert.equal(told("arn:aws:sqs:us-east-1:000000000000:lost"), "queue:lost");
  for (const arn of ["arn:aws:sqs:eu-west-1:000000000000:lost", "arn:aws:sns:us-east-1:000000000000:news"]) assert.equal(told(arn), arn);
});
