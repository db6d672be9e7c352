import { LambentError } from "../../base/index.ts";
import { realmKey } from "../../model/index.ts";
import type { ParcelSender } from "../../outbox/index.ts";
import { type NewNotification, parseTopicArn, type TopicReference, type Topics } from "../../topics/index.ts";
import { type Authorize, type Handing, TAKEN, type TargetKind } from "../handing.ts";
import { queueMessage } from "../queue/shape.ts";

/** Topics take a parcel as a message, and keep a record of their own of it. */
export function topicTarget({ topics, authorize }: { readonly topics: () => Topics; readonly authorize: Authorize }): TargetKind {
  const admitted = (sender: ParcelSender, target: string): TopicReference => {
    const named = parseTopicArn(target);
    if (!named || realmKey(named.realm) !== realmKey(sender.realm))
      throw new LambentError("NotFound", `${target} is in another account or region than what sends to it.`);
    const { policy } = topics().record(named.realm, named.name).settings;
    authorize({ sender, action: "sns:Publish", resource: target, resourcePolicy: policy });
    return named;
  };
  return {
    takes: (target) => parseTopicArn(target) !== undefined,
    async admit(sender, target) {
      admitted(sender, target);
    },
    async handOver([handing]) {
      const { target, sender, traceHeader } = handing.parcel;
      const { realm, name } = admitted(sender, target);
      const [outcome] = await topics().publish(realm, name, [messageOf(handing)], { traceHeader });
      if (outcome?.kind === "refused") throw outcome.error;
      return [TAKEN];
    },
    // A message is told the same, whoever hands it on.
    outcome(outcome) {
      const { body, attributes } = queueMessage(outcome);
      return { payload: Buffer.from(body), options: { attributes } };
    },
  };
}

function messageOf({ id, parcel }: Handing): NewNotification {
  const { payload, options, target } = parcel;
  const { subject, attributes = {}, messageGroupId, deduplicationId } = options;
  return {
    ...{ message: payload.toString("utf8"), structure: "plain", subject, attributes, group: messageGroupId },
    // What comes twice because of a crash is one message of a FIFO topic.
    deduplication: deduplicationId ?? (target.endsWith(".fifo") ? id : undefined),
  };
}
