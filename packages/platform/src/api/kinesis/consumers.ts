import type {
  DeregisterStreamConsumerInput,
  DescribeStreamConsumerInput,
  DescribeStreamConsumerOutput,
  ListStreamConsumersInput,
  ListStreamConsumersOutput,
  RegisterStreamConsumerInput,
  RegisterStreamConsumerOutput,
} from "@aws-sdk/client-kinesis";
import { type Clock, LambentError } from "../../base/index.ts";
import { streamArn, type StreamConsumer, type StreamRecord, type StreamReference, type Streams } from "../../streams/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { changeConsumer, consumerNotFound, foundConsumer } from "./consumer-records.ts";
import { invalidArgument } from "./errors.ts";
import { foundStream, referenceOf, secondsOf } from "./names.ts";
import { pageOf, startOf } from "./paging.ts";
import { consumerShape } from "./shard-shapes.ts";
import type { Subscriptions } from "./subscriptions.ts";
import { withTags } from "./tags.ts";
import type { Tokens } from "./tokens.ts";

/** Consumers with enhanced fan-out that one stream may have. @limit */
export const STREAM_CONSUMERS_MAX = 20;
const PAGE = 100;

interface NamedConsumer {
  readonly StreamARN?: string | undefined;
  readonly ConsumerName?: string | undefined;
  readonly ConsumerARN?: string | undefined;
}

export interface ConsumerOperationParts {
  readonly streams: Streams;
  readonly subscriptions: Subscriptions;
  readonly tokens: Tokens;
  readonly clock: Clock;
}

/** Consumers with enhanced fan-out: active at once, and gone at once. @see Kinesis API reference */
export function consumerOperations({ streams, subscriptions, tokens, clock }: ConsumerOperationParts) {
  const find = (context: RequestContext, input: NamedConsumer) => {
    const reference = consumerReference(streams, context, input);
    const record = foundStream(streams, reference);
    return { reference, record, consumer: foundConsumer(record, reference) };
  };
  return {
    async RegisterStreamConsumer(input: RegisterStreamConsumerInput, context: RequestContext): Promise<RegisterStreamConsumerOutput> {
      const stream = streamOfArn(context, input);
      foundStream(streams, stream);
      const name = given(input.ConsumerName, "ConsumerName");
      const tags = withTags({}, input.Tags ?? {}, stream.name);
      const made: StreamConsumer = { name, createdAt: clock.now(), ...(Object.keys(tags).length > 0 ? { tags } : {}) };
      const record = await streams.update(stream.realm, stream.name, (current) => {
        refuseAnother(current, name);
        return { ...current, consumers: [...current.consumers, made] };
      });
      return { Consumer: consumerShape(record, made) };
    },

    async DeregisterStreamConsumer(input: DeregisterStreamConsumerInput, context: RequestContext): Promise<void> {
      refuseUnbuilt(input, ["StreamId"]);
      const { reference, record, consumer } = find(context, input);
      await changeConsumer(streams, reference, () => undefined);
      subscriptions.endOf(consumerShape(record, consumer).ConsumerARN);
    },

    DescribeStreamConsumer(input: DescribeStreamConsumerInput, context: RequestContext): DescribeStreamConsumerOutput {
      refuseUnbuilt(input, ["StreamId"]);
      const { record, consumer } = find(context, input);
      return { ConsumerDescription: { ...consumerShape(record, consumer), StreamARN: streamArn(record.realm, record.name) } };
    },

    ListStreamConsumers(input: ListStreamConsumersInput, context: RequestContext): ListStreamConsumersOutput {
      const record = foundStream(streams, streamOfArn(context, input));
      const { NextToken: token, MaxResults: limit = PAGE } = input;
      const list = `consumers of ${record.id}`;
      const sorted = [...record.consumers].sort((left, right) => (left.name < right.name ? -1 : 1));
      const { page, last } = pageOf(sorted, {
        after: startOf(tokens, list, { after: undefined, token }),
        limit,
        keyOf: ({ name }) => name,
      });
      return {
        Consumers: page.map((consumer) => consumerShape(record, consumer)),
        ...(last === undefined ? {} : { NextToken: tokens.page({ list, last }) }),
      };
    },
  };
}

/** The consumer that a request names: by its ARN, or by its name and that of its stream. */
export function consumerReference(
  streams: Pick<Streams, "find">,
  context: Pick<RequestContext, "realm" | "principal">,
  { StreamARN, ConsumerName, ConsumerARN }: NamedConsumer,
): StreamReference {
  if (ConsumerARN !== undefined) {
    const reference = referenceOf(context, ConsumerARN);
    if (!reference.consumer) throw invalidArgument(`The ARN ${ConsumerARN.slice(0, 256)} is not that of a consumer.`);
    return reference;
  }
  if (StreamARN === undefined || ConsumerName === undefined)
    throw invalidArgument("Either ConsumerARN, or both StreamARN and ConsumerName, are required.");
  const stream = referenceOf(context, StreamARN);
  const found = foundStream(streams, stream).consumers.find(({ name }) => name === ConsumerName);
  if (!found) throw consumerNotFound(ConsumerName, stream.realm.account);
  return { ...stream, consumer: { name: found.name, createdSeconds: secondsOf(found) } };
}

function streamOfArn(context: RequestContext, input: { readonly StreamARN: string | undefined }): StreamReference {
  refuseUnbuilt(input, ["StreamId"]);
  return referenceOf(context, given(input.StreamARN, "StreamARN"));
}

function refuseAnother({ realm, name: stream, consumers }: StreamRecord, name: string): void {
  if (consumers.some((each) => each.name === name))
    throw new LambentError("Conflict", `Consumer ${name} under stream ${stream} already exists for account ${realm.account}.`);
  if (consumers.length === STREAM_CONSUMERS_MAX)
    throw new LambentError(
      "LimitExceeded",
      `Stream ${stream} under account ${realm.account} has ${STREAM_CONSUMERS_MAX} consumers already.`,
    );
}
