import { DEFAULT_BUS, type Webhook, type Webhooks } from "../../bus/index.ts";
import type { RequestContext } from "../operation.ts";
import type { ListWebhooksResponse, PutWebhookRequest, WebhookRequest, WebhookResponse, WebhookShape } from "./webhook-schema.ts";

/** Sources of events that come in by HTTP. */
export function webhookOperations(webhooks: Webhooks) {
  return {
    async PutWebhook(input: PutWebhookRequest, context: RequestContext): Promise<WebhookResponse> {
      const { Name, Style, EventBusName = DEFAULT_BUS, DetailType, Secrets } = input;
      const draft = { style: Style, bus: EventBusName, detailType: DetailType, secrets: Secrets };
      return { Webhook: webhookShape(await webhooks.put(context.realm, Name, draft), context) };
    },

    GetWebhook({ Name }: WebhookRequest, context: RequestContext): WebhookResponse {
      return { Webhook: webhookShape(webhooks.get(context.realm, Name), context) };
    },

    ListWebhooks(_input: object, context: RequestContext): ListWebhooksResponse {
      return { Webhooks: webhooks.list(context.realm).map((webhook) => webhookShape(webhook, context)) };
    },

    async DeleteWebhook({ Name }: WebhookRequest, { realm }: RequestContext): Promise<void> {
      await webhooks.remove(realm, Name);
    },
  };
}

function webhookShape(webhook: Webhook, { endpoint }: Pick<RequestContext, "endpoint">): WebhookShape {
  const { name, style, bus, detailType, createdAt, modifiedAt } = webhook;
  return {
    Name: name,
    Style: style,
    EventBusName: bus,
    ...(detailType === undefined ? {} : { DetailType: detailType }),
    SecretCount: webhook.style === "none" ? 0 : webhook.secretCount,
    Url: `${endpoint}/webhooks/${name}`,
    Source: `webhook.${name}`,
    CreatedAt: new Date(createdAt),
    ModifiedAt: new Date(modifiedAt),
  };
}
