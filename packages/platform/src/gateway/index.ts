/** HTTP listeners: the main one, and the ones instances reach. */
export { Gateway } from "./gateway.ts";
export type { GatewayDependencies, PublicText } from "./gateway.ts";
export { ApiHandler } from "./api-handler.ts";
export { wireRequestOf } from "./wire-request.ts";
export type { ApiDependencies } from "./api-handler.ts";
export { API_BODY_BYTES_MAX, BodyBudget, HTTP_BODY_BYTES_MAX, RECEIVED_BYTES_MAX } from "./body.ts";
export { createInstanceEndpoint } from "./instance-endpoint.ts";
export { FunctionUrlHandler } from "./function-url/handler.ts";
export type { FunctionUrl, UrlGuard } from "./function-url/handler.ts";
export type { HttpCaller } from "./function-url/event.ts";
export { WebhookHandler } from "./webhook/handler.ts";
export type { WebhookParts, WebhookSource } from "./webhook/handler.ts";
export type { WebhookEvent } from "./webhook/event.ts";
export { CloudEventsHandler } from "./cloud-events/cloud-events-handler.ts";
export type { PublishResult } from "./cloud-events/cloud-events-handler.ts";
export { S3Door } from "./s3/s3-door.ts";
export type { S3Dependencies } from "./s3/s3-handler.ts";
export type { HostNames } from "./s3/addressing.ts";
