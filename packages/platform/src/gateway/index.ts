/** HTTP listeners: the main one, and the ones instances reach. */
export { Gateway } from "./gateway.ts";
export type { GatewayDependencies } from "./gateway.ts";
export { ApiHandler, wireRequestOf } from "./api-handler.ts";
export type { ApiDependencies } from "./api-handler.ts";
export { API_BODY_BYTES_MAX, BodyBudget, HTTP_BODY_BYTES_MAX, RECEIVED_BYTES_MAX } from "./body.ts";
export { createInstanceEndpoint } from "./instance-endpoint.ts";
export { FunctionUrlHandler } from "./function-url/handler.ts";
export type { FunctionUrl, UrlGuard } from "./function-url/handler.ts";
export type { HttpCaller } from "./function-url/event.ts";
