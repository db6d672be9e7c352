import type { IncomingMessage, ServerResponse } from "node:http";
import { type ErrorCode, ERROR_CATALOGUE, LambentError, type SecureRandom } from "../../base/index.ts";
import type { CloudEvent, Realm } from "../../model/index.ts";
import type { BodyBudget } from "../body.ts";
import { readCloudEvents } from "./codec.ts";

/** Largest request of CloudEvents, a batch included. @limit */
export const CLOUD_EVENTS_BODY_BYTES_MAX = 6 * 1024 * 1024;

/** What became of one event of a request. */
export type PublishResult =
  | { readonly kind: "taken"; readonly id: string }
  | { readonly kind: "refused"; readonly code: ErrorCode; readonly message: string };

export interface CloudEventsDependencies {
  /** Who sends, and in which realm the bus is. Throws `AccessDenied`, or the signature's fault. */
  readonly guard: (bus: string, request: IncomingMessage, body: Buffer) => Realm;
  /** Takes events durably (P1); results in the order of the events. */
  readonly publish: (realm: Realm, bus: string, events: readonly CloudEvent[]) => Promise<readonly PublishResult[]>;
  readonly bodies: BodyBudget;
  readonly secureRandom: SecureRandom;
}

/**
 * CloudEvents over HTTP onto a bus: request → events → bus → answer. The answer says of each event what became of it, with
 * status 200 when all were taken, 207 when some were, and the first refusal's own when none was.
 */
export class CloudEventsHandler {
  readonly #dependencies: CloudEventsDependencies;

  constructor(dependencies: CloudEventsDependencies) {
    this.#dependencies = dependencies;
  }

  /** Answers `request`, which is for `bus`. */
  async handle(bus: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { guard, publish, bodies, secureRandom } = this.#dependencies;
    const requestId = secureRandom.uuid();
    try {
      if (request.method !== "POST") throw new LambentError("UnknownOperation", "Events are sent by POST.");
      const body = await bodies.receive(request, CLOUD_EVENTS_BODY_BYTES_MAX);
      try {
        const realm = guard(bus, request, body.bytes);
        const { events } = readCloudEvents({ headers: request.headers, body: body.bytes });
        const results = await publish(realm, bus, events);
        answer(response, statusOf(results), requestId, { entries: results.map(entryOf) });
      } finally {
        body.release();
      }
    } catch (error) {
      if (!(error instanceof LambentError)) throw error;
      answer(response, error.entry.status, requestId, { code: error.code, message: error.message });
    }
  }
}

function statusOf(results: readonly PublishResult[]): number {
  const refused = results.filter((result) => result.kind === "refused");
  const [first] = refused;
  if (!first) return 200;
  return refused.length < results.length ? 207 : ERROR_CATALOGUE[first.code].status;
}

function entryOf(result: PublishResult): object {
  return result.kind === "taken" ? { id: result.id } : { code: result.code, message: result.message };
}

function answer(response: ServerResponse, status: number, requestId: string, value: object): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    "x-amzn-requestid": requestId,
  });
  response.end(body);
}
