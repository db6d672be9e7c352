/**
 * `POST /webhooks/<name>`: events that come in by HTTP.
 *
 * Keeps P1 (the answer leaves when the event is accepted) and P8. Nothing of a message is looked at before its signature is checked.
 * Deliberately absent: which sources there are (`bus/webhooks`), signatures (`security/webhooks`), what becomes of the event.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { type Clock, isLambentError, LambentError } from "../../base/index.ts";
import { type SignedWebhook, verifyWebhook, type WebhookStyle } from "../../security/index.ts";
import type { BodyBudget } from "../body.ts";
import { webhookEvent, type WebhookEvent } from "./event.ts";
import { SeenMessages } from "./seen-messages.ts";

/** Largest message; EventBridge's entries are no larger. @limit */
export const WEBHOOK_BODY_BYTES_MAX = 1_048_576;
/** What a sender is told to wait for when it is not taken now. */
const RETRY_AFTER_SECONDS = 1;

/** A source in the default realm, with what checks its messages; `check` undefined: it takes nothing on this listener. */
export interface WebhookSource {
  readonly name: string;
  readonly bus: string;
  readonly detailType: string | undefined;
  readonly check: { readonly style: WebhookStyle; readonly secrets: readonly string[] } | undefined;
}

export interface WebhookParts {
  readonly find: (name: string) => WebhookSource | undefined;
  /** Puts the event on the source's bus, durably; resolves with its id. */
  readonly accept: (source: WebhookSource, event: WebhookEvent) => Promise<string>;
  readonly bodies: BodyBudget;
  readonly clock: Clock;
  readonly reportDefect: (error: unknown) => void;
}

export class WebhookHandler {
  readonly #parts: WebhookParts;
  readonly #seen = new SeenMessages();

  constructor(parts: WebhookParts) {
    this.#parts = parts;
  }

  /** Answers `request`; never rejects. */
  async handle(name: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      if (request.method !== "POST")
        return answer(response, 405, { code: "MethodNotAllowed", message: "Webhooks are sent by POST." }, { allow: "POST" });
      const source = this.#parts.find(name);
      if (!source) throw new LambentError("NotFound", `There is no webhook source ${JSON.stringify(name.slice(0, 64))}.`);
      if (!source.check) throw new LambentError("AccessDenied", "This source takes what is not signed; that comes in on loopback only.");
      const body = await this.#parts.bodies.receive(request, WEBHOOK_BODY_BYTES_MAX);
      try {
        await this.#take(source, source.check, { headers: request.headers, body: body.bytes }, response);
      } finally {
        body.release();
      }
    } catch (error) {
      this.#refuse(error, response);
    }
  }

  async #take(
    source: WebhookSource,
    { style, secrets }: NonNullable<WebhookSource["check"]>,
    message: SignedWebhook,
    response: ServerResponse,
  ): Promise<void> {
    const verdict = verifyWebhook(style, message, secrets, this.#parts.clock.now());
    if (verdict.kind === "refused") return answer(response, 401, { code: "SignatureMismatch", message: verdict.message });
    const event = webhookEvent({ ...source, style }, message, verdict.id);
    if (!event) throw new LambentError("MalformedRequest", "The body is not a JSON object.");
    const now = this.#parts.clock.monotonicMs();
    const key = event.id === undefined ? undefined : `${source.name}/${event.id}`;
    const before = key === undefined ? undefined : this.#seen.find(key, now);
    if (before) return answer(response, 200, { id: await before, duplicate: true });
    const accepted = this.#parts.accept(source, event);
    if (key !== undefined) this.#seen.add(key, accepted, now);
    answer(response, 202, { id: await accepted });
  }

  #refuse(error: unknown, response: ServerResponse): void {
    if (response.headersSent || response.destroyed) return void response.destroy();
    if (!isLambentError(error)) {
      this.#parts.reportDefect(error);
      return answer(response, 500, { code: "InternalError", message: "A defect in Lambent; its log has the details." });
    }
    const { status, retryable } = error.entry;
    answer(response, status, { code: error.code, message: error.message }, retryable ? { "retry-after": String(RETRY_AFTER_SECONDS) } : {});
  }
}

function answer(response: ServerResponse, status: number, value: object, headers: Readonly<Record<string, string>> = {}): void {
  const body = JSON.stringify(value);
  response
    .writeHead(status, { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)), ...headers })
    .end(body);
}
