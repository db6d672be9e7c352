import { derivedId, LambentError, timeOfId, type Clock } from "../../base/index.ts";
import { type BusEvent, type Buses, decodeBusEvent, parseEventsArn, parseRuleArn } from "../../bus/index.ts";
import { hopsOf, newTraceHeader, RECURSION_HOPS_MAX, withHop } from "../../invoker/index.ts";
import { realmKey } from "../../model/index.ts";
import type { Parcel } from "../../outbox/index.ts";
import { type Authorize, never, TAKEN, type TargetKind } from "../handing.ts";
import { outcomeEvent } from "./shape.ts";

export interface BusTargetParts {
  readonly buses: () => Buses;
  readonly authorize: Authorize;
  readonly clock: Clock;
}

/**
 * Buses take an event that another bus passes on, or a new one, under the handing's id, and keep its record from there on. What a bus passes on to
 * itself has a record of its own there, beside the delivery's.
 */
export function busTarget({ buses, authorize, clock }: BusTargetParts): TargetKind {
  return {
    takes: (target) => parseEventsArn(target)?.kind === "event-bus",
    async handOver([{ id, parcel, from, again, once }]) {
      const { target, sender, traceHeader = newTraceHeader(id, clock.now()) } = parcel;
      const bus = nameHere(parcel);
      const { policy } = buses().get(sender.realm, bus);
      authorize({ sender, action: "events:PutEvents", resource: target, resourcePolicy: policy });
      if (hopsOf(traceHeader, target) >= RECURSION_HOPS_MAX)
        return [never("RECURSION", `The event went through ${target} ${RECURSION_HOPS_MAX} times.`)];
      const isOwn = sender.kind === "service" && parseRuleArn(sender.sourceArn)?.bus === bus;
      // In its own cell the delivery has the record under its id already.
      const recordId = isOwn ? derivedId(timeOfId(id), id) : id;
      const took = { kind: "taken", recorded: !isOwn } as const;
      // Of what is sent by its number nobody says whether it was sent before.
      if ((again || once) && (await buses().knows(sender.realm, bus, recordId))) return [took];
      const { cause, correlation, origin } = from;
      const event = eventOf(id, parcel, clock.now());
      await buses().publish(sender.realm, bus, [
        { event, recordId, traceHeader: withHop(traceHeader, target), cause, correlation, origin },
      ]);
      return [took];
    },
    outcome: outcomeEvent,
  };
}

/** Archives take events of their bus. */
export function archiveTarget({ buses }: Pick<BusTargetParts, "buses">): TargetKind {
  return {
    takes: (target) => parseEventsArn(target)?.kind === "archive",
    async handOver([{ parcel }]) {
      await buses().archives.add(parcel.sender.realm, nameHere(parcel), decodeBusEvent(parcel.payload));
      return [TAKEN];
    },
  };
}

function nameHere({ target, sender }: Parcel): string {
  const named = parseEventsArn(target);
  if (!named || realmKey(named.realm) !== realmKey(sender.realm))
    throw new LambentError("NotFound", `${target} is in another account or region than what sends to it.`);
  return named.name;
}

function eventOf(id: string, { payload, options, sender }: Parcel, now: number): BusEvent {
  if (!options.event) return decodeBusEvent(payload);
  const { source, detailType, resources = [], time = now } = options.event;
  return {
    ...{ id, source, type: detailType, time, ingestedAt: now, account: sender.realm.account, region: sender.realm.region, resources },
    ...{ dataContentType: "application/json", extensions: {}, data: { kind: "json", bytes: payload } },
  };
}
