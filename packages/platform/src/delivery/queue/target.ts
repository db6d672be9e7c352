import { LambentError } from "../../base/index.ts";
import { realmKey } from "../../model/index.ts";
import type { ParcelSender } from "../../outbox/index.ts";
import { type NewMessage, parseQueueArn, type Queue, type Queues } from "../../queues/index.ts";
import { type Authorize, type Handing, never, TAKEN, type TargetKind } from "../handing.ts";
import { queueMessage } from "./shape.ts";

const TOGETHER_MAX = 20;

/** Queues take a parcel as a message; its options name its group and attributes. */
export function queueTarget({ queues, authorize }: { readonly queues: Pick<Queues, "queue">; readonly authorize: Authorize }): TargetKind {
  const admitted = async (sender: ParcelSender, target: string): Promise<Queue> => {
    const named = parseQueueArn(target);
    if (!named || realmKey(named.realm) !== realmKey(sender.realm))
      throw new LambentError("NotFound", `${target} is in another account or region than what sends to it.`);
    const queue = await queues.queue(named.realm, named.name);
    authorize({ sender, action: "sqs:SendMessage", resource: target, resourcePolicy: queue.record.settings.policy });
    return queue;
  };
  return {
    togetherMax: TOGETHER_MAX,
    takes: (target) => parseQueueArn(target) !== undefined,
    async admit(sender, target) {
      await admitted(sender, target);
    },
    async handOver(handings) {
      const { sender, target } = handings[0].parcel;
      const queue = await admitted(sender, target);
      const outcomes = await queue.send(handings.map(messageOf));
      return outcomes.map((sent) => (sent.kind === "refused" ? never("SDK_CLIENT_ERROR", sent.error.message) : TAKEN));
    },
    outcome(outcome) {
      const { body, attributes } = queueMessage(outcome);
      return { payload: Buffer.from(body), options: { attributes } };
    },
  };
}

function messageOf({ parcel, once }: Handing): NewMessage {
  const { payload, options, traceHeader, sender } = parcel;
  const { messageGroupId, deduplicationId, attributes = {} } = options;
  return {
    body: payload.toString("utf8"),
    attributes,
    group: messageGroupId,
    deduplication: deduplicationId,
    traceHeader: traceHeader === undefined ? undefined : { type: "String", value: traceHeader },
    sender: senderOf(sender),
    delivery: once,
  };
}

/** What `SenderId` says. */
function senderOf(sender: ParcelSender): string {
  return sender.kind === "function" ? sender.functionArn.split(":").slice(0, 7).join(":") : sender.service;
}
