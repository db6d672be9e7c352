/**
 * Kinesis as the gateway serves it. Owns shapes, iterators and tokens of pages, who is being pushed records, and the words for errors;
 * `streams/` owns streams, shards and records.
 *
 * Keeps P7: an answer's records and an event's are bounded, and a reader that is slow to take events holds back what is read for it. Limits
 * of calls and bytes per second, which AWS has, are deliberately none here.
 */
import type { Clock } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import { parseStreamReference, streamArn, type Streams } from "../../streams/index.ts";
import { loadService } from "../../wire/index.ts";
import type { OperationTable, RequestContext } from "../operation.ts";
import type { Permission, Service } from "../service.ts";
import { accountOperations } from "./account.ts";
import { consumerOperations } from "./consumers.ts";
import { kinesisWireError, withArguments } from "./errors.ts";
import { iteratorOperations } from "./iterators.ts";
import { policyOperations } from "./policies.ts";
import { putOperations } from "./put.ts";
import { keptOperations, settingOperations } from "./settings.ts";
import { shardOperations, shardPage } from "./shards.ts";
import { streamOperations } from "./streams.ts";
import { subscribeOperations } from "./subscribe.ts";
import { Subscriptions } from "./subscriptions.ts";
import { tagOperations } from "./tags.ts";
import { Tokens } from "./tokens.ts";

export interface KinesisDependencies {
  readonly streams: Streams;
  /** Whether groups of Kafka's read a stream: its shards are neither split nor merged then. */
  readonly hasGroups: (realm: Realm, stream: string) => Promise<boolean>;
  readonly clock: Clock;
  /** What iterators and tokens of pages are signed with; the same over restarts. */
  readonly rootKey: { readonly secretAccessKey: string };
}

/** Kinesis as the gateway serves it. */
export function kinesisService(dependencies: KinesisDependencies): Service {
  const tokens = new Tokens(dependencies.rootKey.secretAccessKey, dependencies.clock);
  return {
    model: loadService("kinesis"),
    operations: withArguments(kinesisOperations(dependencies, tokens)),
    wireError: kinesisWireError,
    permission: (operation, input, context) => permissionFor(dependencies.streams, tokens, operation, input, context),
  };
}

/** Every operation of Kinesis. */
export function kinesisOperations({ streams, hasGroups, clock }: KinesisDependencies, tokens: Tokens) {
  const subscriptions = new Subscriptions(clock);
  return {
    ...streamOperations({ streams, tokens, clock }),
    ...shardOperations({ streams, hasGroups, tokens, clock }),
    ...settingOperations(streams),
    ...keptOperations(streams),
    ...tagOperations(streams),
    ...putOperations(streams),
    ...iteratorOperations({ streams, tokens, clock }),
    ...consumerOperations({ streams, subscriptions, tokens, clock }),
    ...subscribeOperations({ streams, subscriptions, clock }),
    ...policyOperations(streams),
    ...accountOperations(streams),
  } satisfies OperationTable;
}

/** @see Service Authorization Reference, Amazon Kinesis Data Streams */
function permissionFor(
  streams: Pick<Streams, "find">,
  tokens: Tokens,
  operation: string,
  input: Readonly<Record<string, unknown>>,
  { realm }: RequestContext,
): Permission {
  const action = `kinesis:${operation}`;
  const text = (member: string): string | undefined => (typeof input[member] === "string" ? input[member] : undefined);
  const name = text("StreamName");
  const arn =
    text("ConsumerARN") ??
    text("ResourceARN") ??
    streamOfToken(tokens, operation, text) ??
    text("StreamARN") ??
    (name === undefined ? undefined : streamArn(realm, name));
  if (arn === undefined) return { action, resource: "*" };
  return { action, resource: arn, resourcePolicy: resourcePolicy(streams, arn) };
}

/** An iterator, and the token of a page of shards, are of one stream. */
function streamOfToken(tokens: Tokens, operation: string, text: (member: string) => string | undefined): string | undefined {
  const [iterator, token] = [text("ShardIterator"), text("NextToken")];
  if (iterator !== undefined) {
    const { realm, stream } = tokens.positionOf(iterator);
    return streamArn(realm, stream);
  }
  if (operation !== "ListShards" || token === undefined) return undefined;
  const { stream } = shardPage(tokens, token);
  return streamArn(stream.realm, stream.name);
}

function resourcePolicy(streams: Pick<Streams, "find">, arn: string): string | undefined {
  const reference = parseStreamReference(arn);
  const record = reference && streams.find(reference.realm, reference.name);
  const { consumer } = reference ?? {};
  return consumer ? record?.consumers.find(({ name }) => name === consumer.name)?.policy : record?.kinesis?.policy;
}
