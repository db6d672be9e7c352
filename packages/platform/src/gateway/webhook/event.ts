/** A webhook's message as the event it becomes. Pure. */
import type { IncomingHttpHeaders } from "node:http";
import { JsonText } from "../../base/index.ts";
import type { WebhookStyle } from "../../security/index.ts";

/** What an event says of a message whose sender says nothing. */
const DETAIL_TYPE_OF_NOBODY = "webhook";
/** Characters of a detail-type; EventBridge's. */
const DETAIL_TYPE_CHARACTERS_MAX = 128;
/** Characters of a sender's id by which its message is remembered; a longer one is as good as none (P7). @limit */
export const WEBHOOK_ID_CHARACTERS_MAX = 256;

export interface WebhookMessage {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface WebhookEvent {
  /** `webhook.<name>`. */
  readonly source: string;
  readonly detailType: string;
  /** The JSON object as it was sent. */
  readonly detail: string;
  /** The sender's own id of the message, the same at every attempt; undefined where it has none, or one too long to be remembered. */
  readonly id: string | undefined;
}

/**
 * The event of a message that was verified; undefined when its body is no JSON object. Its detail-type is what is configured, else what the
 * sender says: GitHub in a header, others as `type`.
 */
export function webhookEvent(
  source: { readonly name: string; readonly style: WebhookStyle; readonly detailType: string | undefined },
  message: WebhookMessage,
  verifiedId: string | undefined,
): WebhookEvent | undefined {
  const json = JsonText.parse(jsonOf(message));
  if (json?.kind !== "object") return undefined;
  const id = verifiedId ?? (source.style === "stripe" ? textOf(json, "id") : undefined);
  const said = source.style === "github" ? message.headers["x-github-event"] : textOf(json, "type");
  const detailType = [source.detailType, said].find((each): each is string => typeof each === "string" && each !== "");
  return {
    source: `webhook.${source.name}`,
    detailType: (detailType ?? DETAIL_TYPE_OF_NOBODY).slice(0, DETAIL_TYPE_CHARACTERS_MAX),
    detail: json.text,
    id: id !== undefined && id.length <= WEBHOOK_ID_CHARACTERS_MAX ? id : undefined,
  };
}

/** GitHub also sends a form with the JSON in one field, when it is set so. */
function jsonOf({ headers, body }: WebhookMessage): string {
  const text = body.toString("utf8");
  if (!headers["content-type"]?.startsWith("application/x-www-form-urlencoded")) return text;
  return new URLSearchParams(text).get("payload") ?? text;
}

function textOf(json: JsonText, member: string): string | undefined {
  const value = json.members.get(member);
  const text: unknown = value?.kind === "string" ? value.value() : undefined;
  return typeof text === "string" && text !== "" ? text : undefined;
}
