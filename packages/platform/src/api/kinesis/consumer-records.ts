/** Consumers of streams as their streams keep them. */
import { LambentError } from "../../base/index.ts";
import type { StreamConsumer, StreamRecord, StreamReference, Streams } from "../../streams/index.ts";
import { secondsOf } from "./names.ts";

/** The consumer that a reference names. Throws `NotFound` in Kinesis' words. */
export function foundConsumer({ consumers }: Pick<StreamRecord, "consumers">, { realm, consumer }: StreamReference): StreamConsumer {
  const found = consumer && consumers.find((each) => each.name === consumer.name && secondsOf(each) === consumer.createdSeconds);
  if (!found) throw consumerNotFound(consumer?.name ?? "", realm.account);
  return found;
}

/** Nobody is registered so. */
export function consumerNotFound(name: string, account: string): LambentError {
  return new LambentError("NotFound", `Consumer ${name}, account ${account} not found.`);
}

/** Changes the consumer that `reference` names; `change` answers undefined to remove it. */
export async function changeConsumer(
  streams: Pick<Streams, "update">,
  reference: StreamReference,
  change: (consumer: StreamConsumer) => StreamConsumer | undefined,
): Promise<StreamRecord> {
  return streams.update(reference.realm, reference.name, (record) => {
    const found = foundConsumer(record, reference);
    return { ...record, consumers: record.consumers.flatMap((each) => (each === found ? (change(each) ?? []) : each)) };
  });
}
