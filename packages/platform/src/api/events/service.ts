/**
 * EventBridge as the gateway serves it. Owns shapes and the words for errors; `bus/` owns buses, rules, and what becomes of events.
 */
import { busArn, type Buses, busNameOf, eventsArn, ruleArn } from "../../bus/index.ts";
import { loadService } from "../../wire/index.ts";
import type { OperationTable, RequestContext } from "../operation.ts";
import type { Permission, Service } from "../service.ts";
import { archiveOperations, replayOperations } from "./archives.ts";
import { busOperations } from "./buses.ts";
import { type DestinationParts, destinationOperations, destinationPermission } from "./destinations.ts";
import { eventsWireError } from "./errors.ts";
import { ENTRIES_MAX, putEventsOperations, type PutEventsParts } from "./put-events.ts";
import { ruleOperations } from "./rules.ts";
import { tagOperations } from "./tags.ts";
import { targetOperations } from "./targets.ts";

export interface EventsDependencies extends PutEventsParts, DestinationParts {}

/** EventBridge as the gateway serves it. */
export function eventsService(dependencies: EventsDependencies): Service {
  return {
    model: loadService("events"),
    operations: eventsOperations(dependencies),
    wireError: eventsWireError,
    permission: (operation, input, context) =>
      destinationPermission(dependencies, operation, input, context) ?? permissionFor(dependencies.buses, operation, input, context),
  };
}

/** Every operation of EventBridge that is built. */
export function eventsOperations(dependencies: EventsDependencies) {
  const { buses } = dependencies;
  return {
    ...busOperations(buses),
    ...ruleOperations(buses),
    ...targetOperations(buses),
    ...tagOperations(buses),
    ...archiveOperations(buses),
    ...replayOperations(buses),
    ...destinationOperations(dependencies),
    ...putEventsOperations(dependencies),
  } satisfies OperationTable;
}

const OF_BUS = new Set(["UpdateEventBus", "DeleteEventBus", "DescribeEventBus", "CreateEventBus"]);

/** What a call needs leave for. @see Service Authorization Reference, Amazon EventBridge */
function permissionFor(buses: Buses, operation: string, input: Readonly<Record<string, unknown>>, { realm }: RequestContext): Permission {
  const action = `events:${operation}`;
  const text = (member: string): string | undefined => (typeof input[member] === "string" ? input[member] : undefined);
  const onBus = (bus: string): Permission => ({ action, resource: busArn(realm, bus), resourcePolicy: buses.find(realm, bus)?.policy });
  if (operation === "PutEvents") {
    const entries = (input["Entries"] ?? []) as readonly { readonly EventBusName?: string }[];
    const [bus, ...others] = new Set(entries.slice(0, ENTRIES_MAX).map(({ EventBusName }) => busNameOf(EventBusName, realm)));
    // What is denied on one of them is denied.
    return bus === undefined ? { action, resource: "*" } : { ...onBus(bus), others: others.map(onBus) };
  }
  if (operation === "PutPermission" || operation === "RemovePermission") return onBus(busNameOf(text("EventBusName"), realm));
  if (OF_BUS.has(operation)) return onBus(busNameOf(text("Name"), realm));
  const [archive, replay] = [text("ArchiveName"), text("ReplayName")];
  if (archive !== undefined) return { action, resource: eventsArn(realm, "archive", archive) };
  if (replay !== undefined) return { action, resource: eventsArn(realm, "replay", replay) };
  const rule = text("Rule") ?? text("Name");
  if (rule !== undefined && operation.match(/Rule|Targets/))
    return { action, resource: ruleArn(realm, busNameOf(text("EventBusName"), realm), rule) };
  return { action, resource: text("ResourceARN") ?? "*" };
}
