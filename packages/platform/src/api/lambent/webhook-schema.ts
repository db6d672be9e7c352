import { inPath, integer, list, operation, optional, secret, string, structure, timestamp, type TypeOf } from "../../wire/index.ts";

/** The part of Lambent's own API that is about events coming in by HTTP. */

const name = () => string({ pattern: "[.\\-_A-Za-z0-9]{1,64}" });

const webhook = structure("Webhook", {
  Name: name(),
  Style: string({ enum: ["standard", "github", "stripe", "none"] }),
  EventBusName: string(),
  /** Where it is not what the sender says. */
  DetailType: optional(string()),
  /** How many there are; none is ever shown. */
  SecretCount: integer(),
  /** Where its messages are posted to, from where the caller is. */
  Url: string(),
  /** What its events say of where they come from. */
  Source: string(),
  CreatedAt: timestamp(),
  ModifiedAt: timestamp(),
});

const putRequest = structure("PutWebhookRequest", {
  Name: inPath(name()),
  Style: string({ enum: ["standard", "github", "stripe", "none"] }),
  /** The default one, when it is left out. */
  EventBusName: optional(string({ min: 1, max: 256 })),
  DetailType: optional(string({ min: 1, max: 128 })),
  /** Each is good; left out, those that are there stay. */
  Secrets: optional(secret(list(string({ min: 1, max: 256 }), { max: 4 }))),
});
const oneRequest = structure("WebhookRequest", { Name: inPath(name()) });
const oneResponse = structure("WebhookResponse", { Webhook: webhook });
const listResponse = structure("ListWebhooksResponse", { Webhooks: list(webhook) });

export type WebhookShape = TypeOf<typeof webhook>;
export type PutWebhookRequest = TypeOf<typeof putRequest>;
export type WebhookRequest = TypeOf<typeof oneRequest>;
export type WebhookResponse = TypeOf<typeof oneResponse>;
export type ListWebhooksResponse = TypeOf<typeof listResponse>;

export const WEBHOOK_OPERATIONS = [
  operation("PutWebhook", "PUT", "/_lambent/v1/webhooks/{Name}", { input: putRequest, output: oneResponse }),
  operation("GetWebhook", "GET", "/_lambent/v1/webhooks/{Name}", { input: oneRequest, output: oneResponse }),
  operation("ListWebhooks", "GET", "/_lambent/v1/webhooks", { output: listResponse }),
  operation("DeleteWebhook", "DELETE", "/_lambent/v1/webhooks/{Name}", { input: oneRequest }),
];
