import type { Webhook, Webhooks } from "../../bus/index.ts";
import type { RequestContext } from "../operation.ts";
import type { ListWebhooksResponse, PutWebhookRequest, WebhookRequest, WebhookResponse, WebhookShape } from "./webhook-schema.ts";

/** Sources of events that come in by HTTP. */
export function webhookOperations(webhooks: () => Promise<Webhooks>) {
  return {
    async PutWebhook(input: PutWebhookRequest, context: RequestContext): Promise<WebhookResponse> {
      const open = await webhooks();
      // Loaded with the webhooks: nobody waits for buses before.
      const { DEFAULT_BUS } = await import("../../bus/index.ts");
      const { Name, Style, EventBusName = DEFAULT_BUS, DetailType, Secrets } = input;
      const draft = { style: Style, bus: EventBusName, detailType: DetailType, secrets: Secrets };
      return { Webhook: webhookShape(await open.put(context.realm, Name, draft), context) };
    },

    async GetWebhook({ Name }: WebhookRequest, context: RequestContext): Promise<WebhookResponse> {
      return { Webhook: webhookShape((await webhooks()).get(context.realm, Name), context) };
    },

    async ListWebhooks(_input: object, context: RequestContext): Promise<ListWebhooksResponse> {
      return { Webhooks: (await webhooks()).list(context.realm).map((webhook) => webhookShape(webhook, context)) };
    },

    async DeleteWebhook({ Name }: WebhookRequest, { realm }: RequestContext): Promise<void> {
      await (await webhooks()).remove(realm, Name);
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
