import type { IncomingMessage } from "node:http";
import { type Clock, isLambentError, LambentError, type SecureRandom, timeOrderedId } from "../base/index.ts";
import { busArn, eventOf, type Buses, type Webhooks } from "../bus/index.ts";
import {
  type BodyBudget,
  type CloudEventsHandler,
  loadEventHandlers,
  type PublishResult,
  type WebhookHandler,
  type WebhookSource,
  wireRequestOf,
} from "../gateway/index.ts";
import type { CloudEvent, Realm } from "../model/index.ts";
import { type Authenticator, type Authorizer, realmOf } from "../security/index.ts";

export interface HttpSourceParts {
  readonly buses: Buses;
  readonly webhooks: Webhooks;
  readonly authenticator: Authenticator;
  readonly authorizer: Authorizer;
  readonly bodies: BodyBudget;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  /** Where webhooks go by their names. */
  readonly realm: Realm;
  readonly reportDefect: (error: unknown) => void;
}

type EventHandlers = Awaited<ReturnType<typeof loadEventHandlers>>;

/** What takes events by HTTP. */
export interface HttpSources {
  readonly webhooks: WebhookHandler;
  readonly cloudEvents: CloudEventsHandler;
}

export async function openHttpSources(parts: HttpSourceParts): Promise<HttpSources> {
  const handlers = await loadEventHandlers();
  return { webhooks: joinWebhooks(handlers, parts), cloudEvents: joinCloudEvents(handlers, parts) };
}

/** Events that come in by HTTP: signed by their senders, onto a bus. */
function joinWebhooks({ WebhookHandler }: EventHandlers, { buses, webhooks, realm, ...parts }: HttpSourceParts): WebhookHandler {
  const { clock, secureRandom } = parts;
  return new WebhookHandler({
    ...parts,
    find(name): WebhookSource | undefined {
      const found = webhooks.find(realm, name);
      return found && { name, bus: found.bus, detailType: found.detailType, check: webhooks.check(realm, found) };
    },
    async accept({ bus }, { source, detailType, detail }) {
      const id = timeOrderedId(clock, secureRandom);
      const data = { kind: "json", bytes: Buffer.from(detail) } as const;
      const event = { id, source, type: detailType, dataContentType: "application/json", data, extensions: {} };
      await publish({ buses, clock }, realm, bus, event, id);
      return id;
    },
  });
}

/** CloudEvents onto a bus, from whoever signed for `events` and may put events there. */
function joinCloudEvents(
  { CloudEventsHandler }: EventHandlers,
  { buses, authenticator, authorizer, clock, secureRandom, bodies }: HttpSourceParts,
): CloudEventsHandler {
  return new CloudEventsHandler({
    ...{ bodies, secureRandom },
    guard(bus, request, body) {
      const { realm, principal } = callerOf(authenticator, request, body);
      const resource = busArn(realm, bus);
      const resourcePolicy = buses.find(realm, bus)?.policy;
      const requestId = timeOrderedId(clock, secureRandom);
      authorizer.authorize({ principal, requestId, region: realm.region, action: "events:PutEvents", resource, resourcePolicy });
      return realm;
    },
    publish: (realm, bus, events) =>
      Promise.all(
        events.map(async (event): Promise<PublishResult> => {
          const recordId = timeOrderedId(clock, secureRandom);
          try {
            await publish({ buses, clock }, realm, bus, event, recordId);
            return { kind: "taken", id: recordId };
          } catch (error) {
            if (!isLambentError(error)) throw error;
            return { kind: "refused", code: error.code, message: error.message };
          }
        }),
      ),
  });
}

function callerOf(authenticator: Authenticator, request: IncomingMessage, body: Buffer) {
  const signed = wireRequestOf(request, body);
  const principal = authenticator.authenticate(signed, "events");
  const scope = authenticator.credentialScope(signed);
  if (!scope) throw new LambentError("MissingCredentials", "The request has neither an Authorization header nor a signed query.");
  return { principal, realm: realmOf(principal, scope) };
}

/** The record has an id of Lambent's, which sorts by time; a sender may name its event as it likes. */
async function publish(
  { buses, clock }: Pick<HttpSourceParts, "buses" | "clock">,
  realm: Realm,
  bus: string,
  event: CloudEvent,
  recordId: string,
): Promise<void> {
  const arrived = eventOf(event, { ...realm, now: clock.now() });
  const unchained = { traceHeader: undefined, cause: undefined, correlation: undefined, origin: undefined };
  await buses.publish(realm, bus, [{ event: arrived, recordId, ...unchained }]);
}
